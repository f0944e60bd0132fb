/** SQL of the devices. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { HeardSource } from "./last-seen.ts";

export type DeviceRow = {
  id: number;
  siteId: number;
  siteKey: string;
  siteName: string;
  zone: string;
  address: string;
  key: string;
  name: string;
  identity: string;
  fingerprint: string | null;
  expiresAt: number | null;
  /** Common name in the certificate, where it was read. */
  certificateName: string | null;
  firmware: string;
  topics: string[];
};

/** Devices in use. sites: ids; null: all. */
export const deviceRows = (db: Db, sites: readonly number[] | null) =>
  db.rows<DeviceRow>(
    `-- devices.rows
     select d.id, d.site_id as "siteId", s.key as "siteKey", s.name as "siteName", s.zone, concat_ws('/', s.key, d.key) as address, d.key, d.name, d.identity, d.certificate_sha256 as fingerprint,
       (extract(epoch from d.certificate_expires_at) * 1000)::float8 as "expiresAt", d.certificate_name as "certificateName", d.firmware, d.topics
     from device d join site s on s.id = d.site_id
     where d.retired_at is null and s.retired_at is null and ($1::int[] is null or d.site_id = any($1)) order by s.id, d.id`,
    [sites],
  );

/** Publishers that have been heard, with the topics that are mapped to their signals. */
export const heardSources = (db: Db, sites: readonly number[] | null) =>
  db.rows<HeardSource>(
    `-- devices.heardSources
     select s.address, s.form, (extract(epoch from t.last_received_at) * 1000)::float8 as at,
       case when s.form = 'mapped' then array(select distinct m.pattern from signal g join topic_mapping m on m.signal_id = g.id where g.source_id = s.id and m.form = 'json')
         else '{}' end as patterns
     from source s join source_status t on t.source_id = s.id
     where t.last_received_at is not null and ($1::int[] is null or s.site_id = any($1))`,
    [sites],
  );

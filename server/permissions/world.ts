/**
 * For the walk over all procedures with all roles: two sites in which everything carries its site's mark, so that a mark in an answer says whose row it shows;
 * and everybody who can ask. Objects to be changed are made anew for each call.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Actor, type Grant, nobody, type Role, roles } from "#/server/domain/permission.ts";
import { tokenActions } from "#/server/domain/token.ts";
import { hashOfPassword } from "#/server/identity/passwords.ts";
import type { TestDatabase } from "#/server/testing.ts";

/** No word of any language holds these. */
const marks = ["qxaaxq", "qxbbxq"] as const;
export type Mark = (typeof marks)[number];

/** A line with a machine, and the site that it belongs to. */
export type Place = {
  mark: Mark;
  siteId: number;
  site: string;
  areaId: number;
  area: string;
  lineId: number;
  line: string;
  machineId: number;
  machine: string;
  sourceId: number;
  signalId: number;
  signal: string;
  /** Somebody who works there and nowhere else. */
  personId: string;
};

/** Who asks, by the name that the table has for them. */
export type Who = { name: string; actor: Actor };
/** own: where most of them work; besides: another line of the same site; other: another site. */
export type World = { db: TestDatabase; own: Place; besides: Place; other: Place; everybody: Who[]; make: Make };

/** Everybody's. */
const password = "a few words in a row";

let serial = 0;
const next = () => ++serial;

export async function aWorld(db: TestDatabase): Promise<World> {
  const [enterprise] = await db.rows<{ id: number }>("insert into enterprise (key, name) values ('walk', 'Walk') returning id");
  const make = makeIn(db, await hashOfPassword(password));
  const own = await make.site(enterprise?.id ?? 0, marks[0]);
  const other = await make.site(enterprise?.id ?? 0, marks[1]);
  const besides = await make.line(own);
  // Without an administrator of all sites nobody could be one less.
  await make.person(own, [{ role: "administrator", site: "all", lines: null }], "Base");
  return { db, own, besides, other, everybody: await everybodyAt(make, own), make };
}

async function everybodyAt(make: Make, own: Place): Promise<Who[]> {
  const signedIn = async (name: string, ...grants: Grant[]): Promise<Who> => {
    const id = await make.person(own, grants, name);
    return { name, actor: { kind: "person", id, name, grants, sessionId: await make.session(id), terminalId: null } };
  };
  const at = (role: Role, lines: Grant["lines"] = null): Grant => ({ role, site: own.siteId, lines });
  const people: Who[] = [];
  for (const role of roles) people.push(await signedIn(role, at(role)));
  people.push(await signedIn("operator of a line", at("operator", [own.lineId])));
  people.push(await signedIn("two roles", at("technician"), at("quality")));
  people.push(await signedIn("administrator of all", { role: "administrator", site: "all", lines: null }));
  people.push(await signedIn("no role"));
  const token = { kind: "token", id: String(await make.token(own)), name: "token", grants: [at("administrator")], only: tokenActions } as const;
  people.push({ name: "token", actor: token });
  people.push({ name: "token of one action", actor: { ...token, id: String(await make.token(own)), only: ["board.read"] } });
  const display = await make.display(own);
  people.push({ name: "display", actor: { kind: "display", id: String(display.id), name: "display", siteId: own.siteId, lines: [own.lineId] } });
  people.push({ name: "nobody", actor: nobody });
  return people;
}

type Make = ReturnType<typeof makeIn>;

function makeIn(db: TestDatabase, passwordHash: string) {
  const one = async <Row extends object>(sql: string, parameters: readonly unknown[]): Promise<Row> => {
    const [row] = await db.rows<Row & Record<string, unknown>>(sql, parameters);
    if (!row) throw new Error(`Nothing came back from ${sql}`);
    return row;
  };
  const idOf = async (sql: string, ...parameters: unknown[]) => (await one<{ id: number }>(sql, parameters)).id;
  const named = (mark: Mark, what: string) => `${mark}-${what}-${next()}`;

  async function person(place: Pick<Place, "mark">, grants: readonly Grant[], name = "person", { canSignIn = true } = {}): Promise<string> {
    const { id } = await one<{ id: string }>("insert into person (name, email) values ($1, $2) returning id", [
      `${place.mark} ${name}`,
      `${named(place.mark, "person")}@example.com`,
    ]);
    if (canSignIn)
      await db.rows("insert into account (person_id, provider_id, account_id, password) values ($1::uuid, 'credential', $1::text, $2)", [id, passwordHash]);
    for (const { role, site, lines } of grants) {
      const membership = await idOf(
        "insert into membership (person_id, role, site_id) values ($1, $2, $3) returning id",
        id,
        role,
        site === "all" ? null : site,
      );
      await db.rows("insert into membership_line select $1, x from unnest($2::int[]) x", [membership, lines ?? []]);
    }
    return id;
  }

  async function line({ mark, siteId, site, areaId, area }: Pick<Place, "mark" | "siteId" | "site" | "areaId" | "area">): Promise<Place> {
    const keys = { line: named(mark, "line"), machine: named(mark, "machine"), signal: named(mark, "signal") };
    const lineId = await idOf("insert into line (area_id, key, name) values ($1, $2, $2) returning id", areaId, keys.line);
    const machineId = await idOf("insert into machine (line_id, key, name) values ($1, $2, $2) returning id", lineId, keys.machine);
    const address = `${site}/${area}/${keys.line}/${keys.machine}`;
    const sourceId = await idOf("insert into source (site_id, form, address) values ($1, 'json', $2) returning id", siteId, address);
    const signalId = await idOf(
      "insert into signal (machine_id, source_id, key, name, role) values ($1, $2, $3, $3, 'measurement') returning id",
      machineId,
      sourceId,
      keys.signal,
    );
    const personId = await person({ mark }, [{ role: "operator", site: siteId, lines: null }]);
    return { mark, siteId, site, areaId, area, lineId, line: keys.line, machineId, machine: keys.machine, sourceId, signalId, signal: keys.signal, personId };
  }

  async function site(enterpriseId: number, mark: Mark): Promise<Place> {
    const key = named(mark, "site");
    const siteId = await idOf("insert into site (enterprise_id, key, name, zone, currency) values ($1, $2, $2, 'UTC', 'EUR') returning id", enterpriseId, key);
    const area = named(mark, "area");
    const areaId = await idOf("insert into area (site_id, key, name) values ($1, $2, $2) returning id", siteId, area);
    return line({ mark, siteId, site: key, areaId, area });
  }

  /** Somebody who works there, and whom nobody else is. */
  const colleague = (place: Place) => person(place, [{ role: "operator", site: place.siteId, lines: null }], "colleague");

  const session = async (personId: string): Promise<string> =>
    (
      await one<{ id: string }>("insert into session (token, person_id, expires_at) values ($1, $2, now() + interval '1 day') returning id", [
        `t${next()}`,
        personId,
      ])
    ).id;

  async function display(place: Place): Promise<{ id: number; version: number }> {
    const id = await idOf(
      `insert into display (site_id, name, link_hash, link_made_at, rotation_from_at, created_at) values ($1, $2, $3, now(), now(), now()) returning id`,
      place.siteId,
      named(place.mark, "display"),
      randomBytes(32),
    );
    await db.rows("insert into display_board (display_id, line_id, position, shown_s) values ($1, $2, 1, 30)", [id, place.lineId]);
    return { id, version: 1 };
  }

  const token = (place: Place): Promise<number> =>
    idOf(
      `insert into api_token (name, hash, owner_id, all_sites, site_ids, actions, created_at, expires_at)
       values ($1, $2, $3, false, $4, '{board.read}', now(), now() + interval '30 days') returning id`,
      named(place.mark, "token"),
      randomBytes(32),
      place.personId,
      [place.siteId],
    );

  const terminal = (place: Place): Promise<number> =>
    idOf("insert into terminal (site_id, name, secret_hash) values ($1, $2, $3) returning id", place.siteId, named(place.mark, "terminal"), randomBytes(32));

  /** A letter of a topic of that site which leads to nothing. */
  async function letter(place: Place): Promise<{ id: string; statusAt: string; topic: string; reasonCode: string }> {
    const topic = `takt/v1/${place.site}/${place.area}/${place.line}/${place.machine}/${named(place.mark, "unheard")}`;
    const row = await one<{ id: string; statusAt: string }>(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason)
       values ($1, now(), now(), 'value', $2, '{"ts":1,"value":2}', 18, 'unknown_signal', 'Because.') returning id::text, status_at::text as "statusAt"`,
      [createHash("sha256").update(topic).digest(), topic],
    );
    return { ...row, topic, reasonCode: "unknown_signal" };
  }

  /** Its address in the plant. */
  async function device(place: Place): Promise<string> {
    const key = named(place.mark, "device");
    await db.rows("insert into device (site_id, key, name, identity) values ($1, $2, $2, $2)", [place.siteId, key]);
    return `${place.site}/${key}`;
  }

  /** A Sparkplug node of the group "group" that publishes for the site. */
  async function node(place: Place): Promise<string> {
    const name = named(place.mark, "node");
    await db.rows("insert into source (site_id, form, address) values ($1, 'sparkplug', $2)", [place.siteId, `group/${name}`]);
    return name;
  }

  const signature = (place: Place): Promise<number> =>
    idOf(
      `with content as (insert into signed_content (hash, content) values (sha256(convert_to($3, 'UTF8')), $3) returning hash)
       insert into signature (site_id, subject_kind, subject_id, subject_name, meaning, content_hash, signer_id, signer_name, signer_login, session_id, factors, signed_at)
       select $1, 'site_configuration', $1::int::text, $2, 'review', hash, 'x', 'X', 'x', 'x', '{password}', now() from content returning id::int`,
      place.siteId,
      place.site,
      named(place.mark, "content"),
    );

  return { one, idOf, device, node, signature, named, person, site, line, colleague, session, display, token, terminal, letter };
}

/** What a refused call must not have moved: everything that is audited, and the letters. */
export async function fingerprint(db: TestDatabase): Promise<string> {
  const [row] = await db.rows<{ print: string }>(
    `select (select coalesce(sum(seq), 0) from audit_chain) || ' ' || (select md5(coalesce(string_agg(status || status_at, ',' order by id), '')) from dead_letter)
       || ' ' || (select count(*) from display_heartbeat) as print`,
  );
  return row?.print ?? "";
}

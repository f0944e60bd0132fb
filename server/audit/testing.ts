/** For tests: what somebody with a superuser's rights does to the trail behind Takt's back. */
import type { TestDatabase } from "#/server/testing.ts";

/** As one transaction, with Takt's guards switched off meanwhile. `$site` in it is the chain. */
export const forge = (db: TestDatabase, chain: number, sql: string) =>
  db.asAdmin.rows(`begin;
    alter table audit_entry disable trigger append_only; alter table audit_chain disable trigger append_only; alter table audit_chain disable trigger forward_only;
    ${sql.replaceAll("$site", String(chain))};
    alter table audit_entry enable always trigger append_only; alter table audit_chain enable always trigger append_only; alter table audit_chain enable always trigger forward_only;
    commit`);

/** Every hash of the chain anew, from its beginning, and its head: whole again, seen from inside. */
export const rehash = `do $$
  declare e audit_entry; was bytea := decode(repeat('00', 32), 'hex');
  begin
    for e in select * from audit_entry where chain = $site order by seq loop
      e.previous_hash := was;
      was := sha256(audit_bytes(e));
      update audit_entry set previous_hash = e.previous_hash, hash = was where chain = e.chain and seq = e.seq;
    end loop;
    update audit_chain set hash = was, seq = e2.seq from (select max(seq) as seq from audit_entry where chain = $site) e2 where chain = $site;
  end $$`;

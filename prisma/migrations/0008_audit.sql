-- The audit trail: every change of what people set up, who, when, from where, before, after and why, in chains of hashes; and electronic signatures.
-- docs/audit.md has the whole of it: what is recorded, the bytes that are hashed, how it is checked.
--
-- A change is caught by a row trigger where it happens (audit_pending) and appended to its chain at the end of its transaction, chain by chain in their
-- order. So a chain's head is locked last of all and only for the moment of the commit: sites do not wait for each other, and two transactions never
-- wait for each other's heads.

do $$ begin
  if current_setting('server_encoding') <> 'UTF8' then
    raise exception 'This database is encoded in %; Takt needs UTF8: create it with ENCODING ''UTF8''.', current_setting('server_encoding');
  end if;
end $$;

create table audit_entry (
  chain         int not null, -- id of the site; 0: what concerns all sites
  seq           bigint not null check (seq > 0), -- 1, 2, 3 ... without a gap
  at            timestamptz not null, -- the database's clock, at the end of the transaction
  actor_kind    text not null, -- person, token, display, program, nobody; database: someone with a database tool, not through Takt
  actor_id      text not null,
  actor_name    text not null,
  address       text,
  user_agent    text,
  action        text not null, -- noun.verbed
  subject_kind  text not null, -- the table of a row, or what the action is about
  subject_id    text not null,
  subject_name  text,
  before        json, -- the whole row; json and not jsonb: it keeps the very text that was hashed
  after         json,
  why           text,
  previous_hash bytea not null check (octet_length(previous_hash) = 32),
  hash          bytea not null check (octet_length(hash) = 32),
  primary key (chain, seq)
);
create index audit_entry_at on audit_entry (at, chain, seq);
create index audit_entry_subject on audit_entry (subject_kind, subject_id, at);
create index audit_entry_actor on audit_entry (actor_id, at);

-- The last entry of each chain. Its row is the lock that orders the chain.
create table audit_chain (
  chain int primary key,
  seq   bigint not null,
  hash  bytea not null,
  at    timestamptz not null
);

-- Caught in transactions under way; always empty when seen from outside of them. Unlogged: a crash ends those transactions, too.
create unlogged table audit_pending (
  xact         xid8 not null,
  chain        int not null,
  id           bigint generated always as identity,
  actor_kind   text not null,
  actor_id     text not null,
  actor_name   text not null,
  address      text,
  user_agent   text,
  action       text not null,
  subject_kind text not null,
  subject_id   text not null,
  subject_name text,
  before       json,
  after        json,
  why          text,
  primary key (xact, chain, id)
);
create index audit_pending_subject on audit_pending (xact, subject_kind, subject_id);
-- One row a transaction that has something to do at its end: pending entries to append, the plant's revision to move on.
create unlogged table audit_open (
  xact  xid8 primary key,
  plant boolean not null default false
);

-- Tables that are not audited, each with its reason. Everything else in the schema is, by itself.
create table audit_exempt (
  "table" text primary key,
  reason  text not null check (reason <> '')
);

-- How a row leads to its site: by the first of these columns that is not null, to a row of its table, and on from there; none: chain 0.
-- Made from the foreign keys by audit_attach().
create table audit_way (
  "table"    text primary key,
  up_columns text[] not null,
  up_tables  text[] not null
);

-- One field of the hashed bytes: its length in bytes, a colon, the text, a line feed; a lone hyphen for null. No two lists of fields give the same bytes.
create function audit_field(value text) returns text language sql immutable parallel safe
  return case when value is null then E'-\n' else octet_length(value) || ':' || value || E'\n' end;

-- What is hashed of an entry. server/audit/bytes.ts says the same in TypeScript; a test holds the two together.
create function audit_bytes(e audit_entry) returns bytea language sql stable parallel safe
  return e.previous_hash || convert_to(
    E'takt-audit-1\n' || audit_field(e.chain::text) || audit_field(e.seq::text)
    || audit_field(to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit_field(e.actor_kind) || audit_field(e.actor_id) || audit_field(e.actor_name) || audit_field(e.address) || audit_field(e.user_agent)
    || audit_field(e.action) || audit_field(e.subject_kind) || audit_field(e.subject_id) || audit_field(e.subject_name)
    || audit_field(e.before::text) || audit_field(e.after::text) || audit_field(e.why), 'UTF8');

-- The site that a row of a table belongs to; null: none, or it is not there any more. Runs inside the triggers, as their owner.
create function audit_site_of(kind text, id text) returns int language plpgsql stable as $$
declare
  site int;
  way  audit_way;
  r    jsonb;
begin
  case kind -- the plant's own in one step each, because a plant file has thousands of them
    when 'site' then return id::int;
    when 'area' then select a.site_id into site from area a where a.id = audit_site_of.id::int;
    when 'source' then select s.site_id into site from source s where s.id = audit_site_of.id::int;
    when 'shift_pattern' then select p.site_id into site from shift_pattern p where p.id = audit_site_of.id::int;
    when 'line' then select l.site_id into site from line l where l.id = audit_site_of.id::int;
    when 'machine' then select m.site_id into site from machine m where m.id = audit_site_of.id::int;
    when 'signal' then select g.site_id into site from signal g where g.id = audit_site_of.id::int;
    else
      select * into way from audit_way w where w."table" = kind;
      if way."table" is null then return null; end if;
      execute format('select to_jsonb(r) from %I r where r.id::text = $1', kind) into r using id;
      for i in 1 .. cardinality(way.up_columns) loop
        if r ->> way.up_columns[i] is not null then return audit_site_of(way.up_tables[i], r ->> way.up_columns[i]); end if;
      end loop;
      return null;
  end case;
  return site;
end $$;

-- The chain that a row belongs to. What it hangs on may have been deleted just before, by this very transaction: then where that was recorded.
create function audit_chain_of(r jsonb, up_columns text[], up_tables text[]) returns int language plpgsql stable as $$
declare
  up   text;
  site int;
begin
  for i in 1 .. cardinality(up_columns) loop
    up := r ->> up_columns[i];
    if up is null then continue; end if;
    site := audit_site_of(up_tables[i], up);
    if site is null then
      select p.chain into site from audit_pending p
      where p.xact = pg_current_xact_id() and p.subject_kind = up_tables[i] and p.subject_id = up order by p.id desc limit 1;
    end if;
    return coalesce(site, 0);
  end loop;
  return 0;
end $$;

-- Never a password or a token, nor its hash: only that there is one, and that it was changed.
create function audit_masked(r jsonb, was jsonb, secrets text[]) returns jsonb language sql immutable
  return r || coalesce((
    select jsonb_object_agg(c, case when was is null or was -> c = r -> c then 'set' else 'changed' end)
    from unnest(secrets) c where r ->> c is not null
  ), '{}');

-- Catches a change. The actor, the action and the reason are those of the setting takt.audit (server/audit/change.ts); without it, the database's user.
create function audit_catch(chain int, verb text, kind text, id text, name text, before json, after json, why text) returns void language plpgsql as $$
declare
  said jsonb := nullif(current_setting('takt.audit', true), '')::jsonb;
begin
  insert into audit_pending (xact, chain, actor_kind, actor_id, actor_name, address, user_agent, action, subject_kind, subject_id, subject_name, before, after, why)
  values (pg_current_xact_id(), chain,
    coalesce(said #>> '{actor,kind}', 'database'), coalesce(said #>> '{actor,id}', session_user), coalesce(said #>> '{actor,name}', session_user),
    case when said is null then host(inet_client_addr()) else said ->> 'address' end,
    case when said is null then nullif(current_setting('application_name'), '') else said ->> 'userAgent' end,
    coalesce(verb, said ->> 'action', kind || case when before is null then '.added' when after is null then '.removed' else '.changed' end),
    kind, id, name, before, after, coalesce(why, said ->> 'why'));
  insert into audit_open (xact) values (pg_current_xact_id()) on conflict do nothing;
end $$;

-- What is no change of a row (signed in, exported, refused): for the application, by server/audit/change.ts.
create function audit_append(site_id int, action text, subject_kind text, subject_id text, subject_name text, before json, after json, why text) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform audit_catch(coalesce(site_id, 0), action, subject_kind, subject_id, subject_name, before, after, why);
end $$;
revoke execute on function audit_append from public;

-- Shift instances that follow from patterns and calendar, which are audited themselves; what else is extra or cancelled is a person's doing.
create function audit_is_laid_out(instance jsonb) returns boolean language sql immutable
  return instance is null or instance ->> 'status' = 'planned' or (instance ->> 'by_calendar')::boolean;

-- Arguments: columns of the key, column of the name, columns that lead to the site, their tables, secret columns, columns that programs keep up to date.
create function audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
declare
  was     jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
  becomes jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
  present jsonb := coalesce(becomes, was);
  id      text;
  here    int;
  there   int;
begin
  if tg_op = 'UPDATE' and was - tg_argv[5]::text[] = becomes - tg_argv[5]::text[] then return null; end if;
  if tg_table_name = 'shift_instance' and audit_is_laid_out(was) and audit_is_laid_out(becomes) then return null; end if;
  select string_agg(present ->> k, '/' order by n) into id from unnest(tg_argv[0]::text[]) with ordinality keys(k, n);
  here := audit_chain_of(present, tg_argv[2]::text[], tg_argv[3]::text[]);
  there := here;
  if tg_op = 'UPDATE' and exists (select from unnest(tg_argv[2]::text[]) c where was -> c is distinct from becomes -> c) then
    there := audit_chain_of(was, tg_argv[2]::text[], tg_argv[3]::text[]);
  end if;
  if tg_argv[4] <> '{}' then
    select audit_masked(was, null, tg_argv[4]::text[]), audit_masked(becomes, was, tg_argv[4]::text[]) into was, becomes;
  end if;
  perform audit_catch(here, null, tg_table_name, id, present ->> tg_argv[1], was::text::json, becomes::text::json, null);
  if there <> here then -- moved: the site that it left has it, too
    perform audit_catch(there, null, tg_table_name, id, present ->> tg_argv[1], was::text::json, becomes::text::json, null);
  end if;
  return null;
end $$;

create function audit_truncate() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  n bigint;
begin
  execute format('select count(*) from %I', tg_table_name) into n;
  if n > 0 then
    perform audit_catch(0, tg_table_name || '.emptied', tg_table_name, '', null, json_build_object('rows', n), null, null);
  end if;
  return null;
end $$;

-- At the end of a transaction: what it caught goes to the end of its chains, chain by chain in their order, so that no two transactions wait for each other.
create function audit_flush() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  c     int;
  head  audit_chain;
  p     audit_pending;
  entry audit_entry;
begin
  for c in select distinct chain from audit_pending where xact = new.xact order by chain loop
    insert into audit_chain values (c, 0, decode(repeat('00', 32), 'hex'), now()) on conflict do nothing;
    select * into head from audit_chain where chain = c for update;
    head.at := clock_timestamp();
    for p in select * from audit_pending where xact = new.xact and chain = c order by id loop
      head.seq := head.seq + 1;
      entry := row(c, head.seq, head.at, p.actor_kind, p.actor_id, p.actor_name, p.address, p.user_agent, p.action, p.subject_kind, p.subject_id,
        p.subject_name, p.before, p.after, p.why, head.hash, null);
      head.hash := sha256(audit_bytes(entry));
      entry.hash := head.hash;
      insert into audit_entry select entry.*;
    end loop;
    update audit_chain set seq = head.seq, hash = head.hash, at = head.at where chain = c;
  end loop;
  if (select o.plant from audit_open o where o.xact = new.xact) then
    update plant_revision set revision = revision + 1, at = now();
  end if;
  delete from audit_pending where xact = new.xact;
  delete from audit_open where xact = new.xact;
  return null;
end $$;
create constraint trigger flush after insert on audit_open deferrable initially deferred for each row execute function audit_flush();

-- The plant's revision moves on at the end of a transaction, too: changes of two sites do not wait for each other there either.
create or replace function bump_plant_revision() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into audit_open (xact, plant) values (pg_current_xact_id(), true) on conflict (xact) do update set plant = true;
  perform pg_notify('plant', '');
  return null;
end $$;

-- Who could empty or bend the trail in the database is stopped here, by grants (scripts/migrate/roles.ts) and by these triggers; who goes around both,
-- as a superuser can, is found out by `npm run audit -- verify`.
create function refuse_to_rewrite() returns trigger language plpgsql as $$
begin
  raise exception '% is only ever added to: what stands there cannot be changed or removed.', tg_table_name using errcode = 'restrict_violation';
end $$;
create function refuse_to_go_back() returns trigger language plpgsql as $$
begin
  if new.seq <= old.seq or new.chain <> old.chain then
    raise exception 'The head of an audit chain only goes forward.' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

-- Electronic signatures: who signed what, meaning what, bound to the bytes that were signed.
create table signature (
  id           bigint generated always as identity primary key,
  site_id      int, -- null: what was signed concerns all sites. No reference: a signature outlives what it was given to
  subject_kind text not null check (subject_kind <> ''),
  subject_id   text not null,
  subject_name text not null,
  meaning      text not null check (meaning in ('authorship', 'review', 'approval', 'responsibility')),
  content_hash bytea not null check (octet_length(content_hash) = 32), -- sha256 of signed_content.content
  signer_id    text not null,
  signer_name  text not null, -- as printed
  signer_login text not null, -- what the signer gave beside the password
  session_id   text not null,
  factors      text[] not null check (cardinality(factors) > 0), -- what was given: login, password, totp
  comment      text,
  signed_at    timestamptz not null
);
create index signature_subject on signature (subject_kind, subject_id, signed_at);

-- What was signed, as bytes of UTF-8 text, so that it can be shown later, when what it describes has moved on.
create table signed_content (
  hash    bytea primary key check (hash = sha256(convert_to(content, 'UTF8'))),
  content text not null
);

create trigger forward_only before update on audit_chain for each row execute function refuse_to_go_back();

insert into audit_exempt values
  ('audit_entry', 'the trail itself'),
  ('audit_chain', 'the heads of the trail'),
  ('audit_pending', 'on its way to the trail'),
  ('audit_open', 'on its way to the trail'),
  ('audit_way', 'made from the foreign keys at every migration'),
  ('schema_migration', 'written by npm run migrate alone'),
  ('plant_revision', 'a counter that moves with every audited change'),
  ('shift_instance_break', 'laid out from the patterns together with the shift instances'),
  ('sample', 'readings of machines'),
  ('ledger_sample', 'readings of machines'),
  ('sample_hour', 'computed from readings'),
  ('count_minute', 'computed from readings'),
  ('signal_latest', 'the newest readings'),
  ('source_minute', 'presence of sources, from readings'),
  ('source_status', 'what sources say of themselves'),
  ('link_event', 'what sources say of themselves'),
  ('ledger_mark', 'work to be done by programs'),
  ('trend_mark', 'work to be done by programs'),
  ('trend_claim', 'work to be done by programs'),
  ('trend_retention', 'how far programs have dropped readings'),
  ('ingest_lease', 'which program reads'),
  ('ingest_worker', 'how the programs fare'),
  ('dead_letter', 'written by the worker; what people do with letters is recorded as dead_letter.retried and dead_letter.discarded'),
  ('dead_letter_dropped', 'sums of dead letters for which there was no room, kept by the jobs process'),
  ('dead_letter_group', 'sums of dead letters, kept by the database'),
  ('session', 'who is signed in; signing in and out is recorded as person.signed_in and person.signed_out'),
  ('verification', 'a sign-in under way'),
  ('known_device', 'browsers in which a person has signed in'),
  ('sign_in_try', 'failed tries, counted; each is recorded as person.refused'),
  ('display_heartbeat', 'signs of life of displays'),
  ('api_token_use', 'last use of tokens'),
  ('signed_content', 'immutable and named by its own hash, which the audited signature has');

-- Puts the triggers on every table that is not exempt and takes them off those that are. Called after every migration, so a new table is audited by itself.
create function audit_attach() returns void language plpgsql as $$
declare
  guard  record;
  tables jsonb; -- read to the end before the first trigger is made, which no query may be under way for
  one    record;
  made   text;
  wanted text;
begin
  perform pg_advisory_xact_lock(hashtext('takt.audit_attach')); -- two migrations at once
  -- Ways to the site: a column site_id, else the foreign key over the fewest tables, one that is never null before one that may be.
  delete from audit_way;
  insert into audit_way
  with recursive relations as (
    select c.oid, c.relname::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname not like 'audit\_%'
  ), up as (
    select t.name, a.attname::text as col, coalesce(p.relname::text, 'site') as up_table, a.attnotnull as is_sure
    from relations t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      left join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' and k.conkey[1] = a.attnum
      left join pg_class p on p.oid = k.confrelid
    where (k.oid is not null or a.attname = 'site_id') and p.oid is distinct from t.oid
  ), far (name, col, up_table, is_sure, steps, path) as (
    select name, col, up_table, is_sure, 1, array[name] from up where up_table = 'site'
    union all
    select u.name, u.col, u.up_table, u.is_sure, f.steps + 1, f.path || u.name from far f join up u on u.up_table = f.name
    where not u.name = any(f.path) and u.name <> 'site' and f.steps < 8
  )
  select t.name, case when t.name = 'site' then '{id}' else coalesce(array_agg(s.col order by s.steps, s.is_sure desc, s.col) filter (where s.col is not null), '{}') end,
    case when t.name = 'site' then '{site}' else coalesce(array_agg(s.up_table order by s.steps, s.is_sure desc, s.col) filter (where s.col is not null), '{}') end
  from relations t left join (select name, col, up_table, is_sure, min(steps) as steps from far group by 1, 2, 3, 4) s on s.name = t.name
  group by t.name;

  select jsonb_agg(to_jsonb(r)) into tables from (
    select c.oid, c.relname::text as name, e."table" is not null as is_exempt, w.up_columns, w.up_tables,
      (select array_agg(a.attname::text order by k.n) from pg_index i, unnest(i.indkey::int[]) with ordinality k(attnum, n), pg_attribute a
        where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum) as keys,
      (select a.attname::text from pg_attribute a join unnest(array['name', 'title', 'label', 'key', 'username', 'email', 'pattern', 'address', 'role', 'purpose', 'subject_name']) with ordinality p(col, n)
        on p.col = a.attname where a.attrelid = c.oid and not a.attisdropped order by p.n limit 1) as name_column,
      (select coalesce(array_agg(a.attname::text order by a.attnum), '{}') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and a.attname ~ '(^|_)(password|passcode|pin|secret|token|salt|backup_codes|private_key|hash)(_hash|_digest|$)' and c.relname <> 'signature') as secrets,
      (select coalesce(array_agg(a.attname::text order by a.attnum), '{}') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and a.attname in ('updated_at', 'seen_at', 'last_seen_at', 'last_address', 'failed_verification_count')) as kept
    from pg_class c left join audit_exempt e on e."table" = c.relname left join audit_way w on w."table" = c.relname
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  ) r;
  for one in
    select * from jsonb_to_recordset(tables)
      as f(oid oid, name text, is_exempt boolean, up_columns text[], up_tables text[], keys text[], name_column text, secrets text[], kept text[])
  loop
    -- The name sorts before the foreign keys' own triggers: a parent is caught before the rows that its deletion takes along.
    wanted := case when one.is_exempt then null else format('create trigger "A_audit" after insert or update or delete on public.%I for each row execute function audit_row(%L, %L, %L, %L, %L, %L)',
      one.name, coalesce(one.keys, '{}'), coalesce(one.name_column, ''), coalesce(one.up_columns, '{}'), coalesce(one.up_tables, '{}'), one.secrets, one.kept) end;
    made := null;
    select obj_description(g.oid, 'pg_trigger') into made from pg_trigger g join pg_trigger e on e.tgrelid = g.tgrelid and e.tgname = 'A_audit_truncate' and e.tgenabled = 'A'
    where g.tgrelid = one.oid and g.tgname = 'A_audit' and g.tgenabled = 'A';
    if wanted is not distinct from made and not (wanted is null and exists (select from pg_trigger g where g.tgrelid = one.oid and g.tgname like 'A\_audit%')) then
      continue; -- no lock is taken where nothing is to be done
    end if;
    execute format('drop trigger if exists "A_audit" on public.%I', one.name);
    execute format('drop trigger if exists "A_audit_truncate" on public.%I', one.name);
    if wanted is null then continue; end if;
    execute wanted;
    execute format('comment on trigger "A_audit" on public.%I is %L', one.name, wanted);
    execute format('create trigger "A_audit_truncate" before truncate on public.%I for each statement execute function audit_truncate()', one.name);
    execute format('alter table public.%I enable always trigger "A_audit", enable always trigger "A_audit_truncate"', one.name);
  end loop;

  -- Always: also where a session says that it is a replica.
  for guard in
    select t.name, t.fires from (values ('audit_entry', 'update or delete or truncate'), ('signature', 'update or delete or truncate'),
      ('signed_content', 'update or delete or truncate'), ('audit_chain', 'delete or truncate')) t (name, fires)
    where not exists (select from pg_trigger g where g.tgrelid = t.name::regclass and g.tgname = 'append_only' and g.tgenabled = 'A')
  loop
    execute format('drop trigger if exists append_only on %I', guard.name);
    execute format('create trigger append_only before %s on %I for each statement execute function refuse_to_rewrite()', guard.fires, guard.name);
    execute format('alter table %I enable always trigger append_only', guard.name);
  end loop;
  if exists (select from pg_trigger where tgname = 'flush' and tgenabled <> 'A') then alter table audit_open enable always trigger flush; end if;
  if exists (select from pg_trigger where tgname = 'forward_only' and tgenabled <> 'A') then alter table audit_chain enable always trigger forward_only; end if;
end $$;
revoke execute on function audit_attach from public;
select audit_attach();

-- Dropping chunks needs the table's owner, which the jobs process is not: for it alone, and for the two tables that are not kept for ever.
create function takt_drop_chunks(kept text, newer_than timestamptz, older_than timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if kept not in ('sample', 'sample_hour') then
    raise exception 'Chunks of % are kept for ever.', kept using errcode = 'insufficient_privilege';
  end if;
  return (select count(*) from drop_chunks(kept::regclass, older_than => takt_drop_chunks.older_than, newer_than => takt_drop_chunks.newer_than));
end $$;
revoke execute on function takt_drop_chunks from public;

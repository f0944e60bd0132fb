-- The ingest worker's own: who reads which topics, how it fares, and what it set aside.

-- One reader per topic. fence grows with each new holder and is checked in every write transaction, so a reader that lost its lease cannot write.
-- generation moves on after marks were claimed and before they are worked off: the worker then forgets which marks it has already set.
create table ingest_lease (
  name        text primary key, -- the worker's name: one for each set of topic filters
  filters     text[] not null check (cardinality(filters) > 0), -- what it reads, and what its session at the broker may still be subscribed to
  fence       bigint not null default 1,
  generation  bigint not null default 1,
  holder      text not null, -- host, process id, start; then what tells its process from all others
  expires_at  timestamptz not null
);

create table ingest_worker (
  name       text primary key,
  at         timestamptz not null, -- last sign of life
  started_at timestamptz not null,
  stats      jsonb not null -- counters since the start, connections, rates
);

-- Nothing is lost: what could not be written stands here with its reason until someone retries or discards it.
create table dead_letter (
  id               bigint generated always as identity primary key,
  fingerprint      bytea not null unique, -- of topic, metric and payload: what comes again is not a second letter
  received_at      timestamptz not null,
  last_received_at timestamptz not null,
  repeats          bigint not null default 0, -- received again since
  form             text not null check (form in ('message', 'value')), -- value: one value of a message, written as {"ts","value"}
  topic            text not null,
  metric           text, -- Sparkplug: name of the metric
  payload          bytea not null,
  payload_size     int not null, -- as received; larger than length(payload) where only the head was kept
  value_count      int not null default 1,
  reason_code      text not null check (reason_code in (
    'topic_malformed', 'unknown_machine', 'unknown_signal', 'retired_signal', 'other_worker',
    'payload_empty', 'payload_too_large', 'payload_not_utf8', 'payload_not_json', 'payload_too_deep', 'payload_shape',
    'value_type', 'value_not_finite', 'value_out_of_limits', 'counter_negative', 'conflict',
    'ts_invalid', 'ts_future', 'ts_too_old',
    'sparkplug_malformed', 'sparkplug_unknown_alias', 'sparkplug_before_birth', 'sparkplug_type')), -- each is named on screen (messages/*.json, reasons)
  reason           text not null, -- for the plant engineer
  status           text not null default 'open' check (status in ('open', 'retry', 'resolved', 'discarded')),
  status_at        timestamptz not null default now()
);
create index dead_letter_retry on dead_letter (id) where status = 'retry';
create index dead_letter_settled on dead_letter (status_at) where status in ('resolved', 'discarded');
create index dead_letter_alike on dead_letter (topic, metric, reason_code, status, id);

-- Letters that are alike (topic, metric and reason), counted by status. Kept by the triggers below with every change of dead_letter, because adding up
-- half a million letters takes a second, and screens ask every few seconds. values: with those that came again.
create table dead_letter_group (
  topic             text not null,
  metric            text,
  reason_code       text not null,
  reason            text not null, -- of the newest letter
  last_id           bigint not null, -- the newest letter, whatever became of it
  last_at           timestamptz not null, -- when one like these last came
  open_letters      bigint not null,
  open_values       bigint not null,
  open_bytes        bigint not null, -- what the open ones take of the disk, about
  other_bytes       bigint not null, -- and those of any other status
  retry_letters     bigint not null,
  retry_values      bigint not null,
  resolved_letters  bigint not null,
  resolved_values   bigint not null,
  discarded_letters bigint not null,
  discarded_values  bigint not null,
  unique nulls not distinct (topic, metric, reason_code)
) with (fillfactor = 50);
create index dead_letter_group_open on dead_letter_group (last_at desc) where open_letters > 0;
create index dead_letter_group_empty on dead_letter_group (last_id) where open_letters + retry_letters + resolved_letters + discarded_letters = 0;

-- What a letter takes of the disk, about, with its part of the indexes and, where it is the only one of its kind, of dead_letter_group. Payloads that
-- the database compresses take less.
create function letter_bytes(topic text, metric text, reason text, payload bytea) returns bigint language sql immutable parallel safe
  return 500 + 4 * (octet_length(topic) + coalesce(octet_length(metric), 0)) + 3 * octet_length(reason) + octet_length(payload);

-- Groups are locked in the order of their keys: writers of the same ones wait for each other.
create function count_dead_letters() returns trigger language plpgsql as $$
declare
  gained constant text := 'select topic, metric, reason_code, status, 1 as n, value_count::bigint * (repeats + 1) as v, letter_bytes(topic, metric, reason, payload) as b, id, last_received_at as at, reason from gained';
  lost constant text := 'select topic, metric, reason_code, status, -1 as n, -value_count::bigint * (repeats + 1) as v, -letter_bytes(topic, metric, reason, payload) as b, 0 as id, ''-infinity''::timestamptz as at, null as reason from lost';
begin
  if tg_op = 'TRUNCATE' then
    truncate dead_letter_group;
    return null;
  elsif tg_op = 'UPDATE' then
    if not exists (select from gained) then return null; end if; -- an insert that met no letter like its own
  end if;
  execute format($sql$
    insert into dead_letter_group as g
    select topic, metric, reason_code, coalesce((array_agg(reason order by id desc))[1], ''), max(id), max(at),
      coalesce(sum(n) filter (where status = 'open'), 0), coalesce(sum(v) filter (where status = 'open'), 0),
      coalesce(sum(b) filter (where status = 'open'), 0), coalesce(sum(b) filter (where status <> 'open'), 0),
      coalesce(sum(n) filter (where status = 'retry'), 0), coalesce(sum(v) filter (where status = 'retry'), 0),
      coalesce(sum(n) filter (where status = 'resolved'), 0), coalesce(sum(v) filter (where status = 'resolved'), 0),
      coalesce(sum(n) filter (where status = 'discarded'), 0), coalesce(sum(v) filter (where status = 'discarded'), 0)
    from (%s) letter group by topic, metric, reason_code order by topic, metric, reason_code
    on conflict (topic, metric, reason_code) do update set
      reason = case when excluded.last_id >= g.last_id then excluded.reason else g.reason end,
      last_id = greatest(g.last_id, excluded.last_id), last_at = greatest(g.last_at, excluded.last_at),
      open_letters = g.open_letters + excluded.open_letters, open_values = g.open_values + excluded.open_values, open_bytes = g.open_bytes + excluded.open_bytes, other_bytes = g.other_bytes + excluded.other_bytes,
      retry_letters = g.retry_letters + excluded.retry_letters, retry_values = g.retry_values + excluded.retry_values,
      resolved_letters = g.resolved_letters + excluded.resolved_letters, resolved_values = g.resolved_values + excluded.resolved_values,
      discarded_letters = g.discarded_letters + excluded.discarded_letters, discarded_values = g.discarded_values + excluded.discarded_values
    $sql$, case tg_op when 'INSERT' then gained when 'DELETE' then lost else gained || ' union all ' || lost end);
  if tg_op <> 'INSERT' then
    delete from dead_letter_group where open_letters + retry_letters + resolved_letters + discarded_letters = 0;
  end if;
  return null;
end $$;
create trigger count_inserted after insert on dead_letter referencing new table as gained for each statement execute function count_dead_letters();
create trigger count_updated after update on dead_letter referencing new table as gained old table as lost for each statement execute function count_dead_letters();
create trigger count_deleted after delete on dead_letter referencing old table as lost for each statement execute function count_dead_letters();
create trigger count_truncated after truncate on dead_letter for each statement execute function count_dead_letters();

-- Open letters that went because letters took more than RETAIN_LETTERS_MB: one row.
create table dead_letter_dropped (
  only_row   boolean primary key default true check (only_row),
  letters    bigint not null default 0,
  "values"   bigint not null default 0,
  dropped_at timestamptz -- the last time; null: never
);
insert into dead_letter_dropped default values;

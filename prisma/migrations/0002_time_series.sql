-- Time series: one hypertable a class of retention, because dropping is by chunk. (signal, instant) identifies a sample; it is written once.
--
-- No foreign key on the hypertables. On samples its row trigger would cost a third of the ingest rate. On the others each new chunk would lock the plant's
-- table against writers until the batch that made the chunk is committed, and hang two triggers more on it, which every change of the plant then runs
-- through. What holds instead: every writer upserts signal_latest (of a source: source_status), which has a foreign key, in the same transaction;
-- sample_hour is written from trend_claim, which has one; and keep_history below refuses to delete what they refer to.
-- The checks on samples cost nothing that could be measured (COPY of a million rows, five times each, with and without).

-- flags of a sample
--   1 stamped on receipt (the message had no time of its own)   2 delivered as history by the device   4 the device said: no value (null)   8 quality not good

create table sample ( -- class trend
  signal_id int not null,
  at        timestamptz not null, -- device time
  value     double precision, -- in the signal's unit; null: the device said there is none
  flags     smallint not null default 0,
  primary key (signal_id, at),
  check ((value is null) = (flags & 4 <> 0))
);
select create_hypertable('sample', by_range('at', interval '6 hours'), create_default_indexes => false);

create table ledger_sample ( -- class ledger: state, counts, fault code, job, product
  signal_id   int not null,
  at          timestamptz not null, -- device time
  value       double precision, -- a number as read (scaled); null where it is a text
  text_value  text, -- a text as read
  flags       smallint not null default 0,
  received_at timestamptz not null,
  primary key (signal_id, at),
  check (num_nonnulls(value, text_value) = (flags & 4 = 0)::int) -- a number or a text, or the device said that there is none
);
select create_hypertable('ledger_sample', by_range('at', interval '1 day'), create_default_indexes => false);

create table sample_hour ( -- class trend, rolled up from sample; kept 90 days
  signal_id  int not null,
  hour       timestamptz not null,
  n          int not null check (n > 0),
  mean       double precision, -- null: readings beyond 1e150 have none in double precision
  min        double precision not null,
  max        double precision not null,
  last       double precision not null,
  primary key (signal_id, hour),
  check (min <= mean and mean <= max), -- exactly: the roll-up keeps what adding up rounds away from them inside
  check (min <= last and last <= max)
);
select create_hypertable('sample_hour', by_range('hour', interval '7 days'), create_default_indexes => false);

-- The newest reading of each signal by device time, and what only the reader in order knows of it. A counter keeps its last count through readings of "no value".
create table signal_latest (
  signal_id    int primary key references signal,
  at           timestamptz not null,
  value        double precision,
  text_value   text,
  flags        smallint not null,
  received_at  timestamptz not null,
  first_at     timestamptz, -- oldest reading ever written: nothing is looked for before it
  piece_at     timestamptz, -- counters: instant of the last reading that added pieces
  cycle_s      double precision, -- counters: seconds per piece between the last two such readings
  period_s     double precision, -- smoothed seconds between readings
  values_total bigint not null default 0 -- readings written in all
) with (fillfactor = 50);

-- Pieces per count signal, minute and job: sums of deltas. A piece counted at t was made before t: minute holds (minute, minute + 60 s].
-- Derived: can be dropped and rebuilt from ledger_sample.
create table count_minute (
  signal_id  int not null,
  minute     timestamptz not null,
  job        text not null default '', -- job reading in force just before the count's sample; '' none
  machine_id int not null,
  pieces     double precision not null,
  first_at   timestamptz, -- first and last reading of the minute that added pieces; null: none did
  last_at    timestamptz,
  primary key (signal_id, minute, job)
);
select create_hypertable('count_minute', by_range('minute', interval '7 days'), create_default_indexes => false);
create index count_minute_machine on count_minute (machine_id, minute);

-- Presence of each source: neighbouring values at most no_data_timeout_s apart vouch for the time between them. Kept for ever, samples are not.
create table source_minute (
  source_id int not null,
  minute    timestamptz not null,
  first_at  timestamptz not null,
  last_at   timestamptz not null,
  n         int not null, -- values
  lag_max_s real not null, -- longest from device time to receipt
  primary key (source_id, minute)
);
select create_hypertable('source_minute', by_range('minute', interval '7 days'), create_default_indexes => false);

create table source_status (
  source_id        int primary key references source,
  last_at          timestamptz, -- newest device time
  last_received_at timestamptz,
  lag_s            double precision, -- of the newest value
  announced        boolean, -- true: said to be online (birth, _online true); false: said to be offline (death, will); null: never said
  announced_at     timestamptz,
  announced_by     text
) with (fillfactor = 50);

-- What links said of themselves, losses that were seen, and what is remarkable in counts. alive: true from here on, false from here on, null: a remark only.
create table link_event (
  id          bigint generated always as identity primary key,
  source_id   int references source,
  address     text not null, -- as in source.address, also of publishers that no source knows
  at          timestamptz not null,
  kind        text not null check (kind in ('birth', 'death', 'online', 'offline', 'broker_restart', 'sequence_gap', 'rebirth_requested', 'history',
    'counter_reset', 'counter_jump')),
  alive       boolean,
  detail      text not null default '',
  received_at timestamptz not null,
  unique (address, at, kind, detail)
);
create index link_event_source on link_event (source_id, at);
-- What was announced last before an instant, however many remarks came since; and the remarks of a day, counted for all sources at once.
create index link_event_announced on link_event (source_id, at) where alive is not null;
create index link_event_remark on link_event (at) include (source_id, kind) where kind in ('sequence_gap', 'rebirth_requested');

-- What was touched and is to be worked off: by the ledger's refresher, and by the hourly roll-up.
create table ledger_mark (
  machine_id int not null references machine,
  hour       timestamptz not null,
  from_at    timestamptz not null,
  to_at      timestamptz not null,
  marked_at  timestamptz not null default now(),
  primary key (machine_id, hour)
);
create table trend_mark (
  signal_id int not null references signal,
  hour      timestamptz not null,
  primary key (signal_id, hour)
);
create index trend_mark_hour on trend_mark (hour);

-- History keeps what it is of: such a thing is retired instead.
create function refuse_to_lose_history() returns trigger language plpgsql as $$
declare has_history boolean;
begin
  case tg_table_name
    when 'signal' then
      has_history := exists (select from ledger_sample where signal_id = old.id) or exists (select from sample_hour where signal_id = old.id)
        or exists (select from sample where signal_id = old.id) or exists (select from count_minute where signal_id = old.id);
    when 'machine' then
      has_history := exists (select from count_minute where machine_id = old.id);
    when 'source' then
      has_history := exists (select from source_minute where source_id = old.id);
  end case;
  if has_history then
    raise exception 'The % % has history and cannot be deleted. Retire it instead.', tg_table_name, case tg_table_name when 'source' then to_jsonb(old) ->> 'address' else to_jsonb(old) ->> 'key' end
      using errcode = 'restrict_violation';
  end if;
  return old;
end $$;
create trigger keep_history before delete on signal for each row execute function refuse_to_lose_history();
create trigger keep_history before delete on machine for each row execute function refuse_to_lose_history();
create trigger keep_history before delete on source for each row execute function refuse_to_lose_history();

-- Where the community licence is present: columnstore for chunks that no longer change much. Called after migrating; without the licence it says so.
create function takt_columnstore_on() returns text language plpgsql as $$
begin
  if current_setting('timescaledb.license', true) is distinct from 'timescale' then
    return 'Apache edition: no columnstore';
  end if;
  execute $x$alter table sample set (timescaledb.compress, timescaledb.compress_segmentby = 'signal_id', timescaledb.compress_orderby = 'at')$x$;
  execute $x$alter table ledger_sample set (timescaledb.compress, timescaledb.compress_segmentby = 'signal_id', timescaledb.compress_orderby = 'at')$x$;
  execute $x$select add_compression_policy('sample', interval '1 day', if_not_exists => true)$x$;
  execute $x$select add_compression_policy('ledger_sample', interval '14 days', if_not_exists => true)$x$;
  return 'columnstore on for sample after 1 day, for ledger_sample after 14 days';
end $$;

-- The plant: ISA-95 hierarchy, signals and how they are addressed, products, rates, shifts, reasons, teams.
-- Keys are segments of topics and of addresses on screen: no '/', '+', '#', no control character, no leading '_' or '$'.
-- What has history is retired (retired_at), never deleted.

create extension if not exists btree_gist;

create function is_plant_key(key text) returns boolean language sql immutable parallel safe
  return key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

create function is_time_zone(zone text) returns boolean language plpgsql stable as $$
begin
  perform now() at time zone zone;
  return position('/' in zone) > 0 or zone = 'UTC';
exception when invalid_parameter_value then
  return false;
end $$;

create table enterprise (
  id   int generated always as identity primary key,
  key  text not null unique check (is_plant_key(key)),
  name text not null check (name <> '')
);

create table site (
  id            int generated always as identity primary key,
  enterprise_id int not null references enterprise,
  key           text not null unique check (is_plant_key(key)), -- first segment of a topic below takt/v1, so unique in the database
  name          text not null check (name <> ''),
  zone          text not null check (is_time_zone(zone)), -- IANA
  retired_at    timestamptz
);

create table area (
  id         int generated always as identity primary key,
  site_id    int not null references site,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  retired_at timestamptz,
  unique (site_id, key)
);

create table line (
  id         int generated always as identity primary key,
  area_id    int not null references area,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  topology   text not null default 'parallel' check (topology in ('parallel', 'constraint')),
  retired_at timestamptz,
  unique (area_id, key)
);

create table machine (
  id                 int generated always as identity primary key,
  line_id            int not null references line,
  key                text not null check (is_plant_key(key)),
  name               text not null check (name <> ''),
  kind               text not null default 'machine' check (kind <> ''), -- press, injection_moulding, cnc, filler, packer ...
  position           int not null default 0, -- order along the line
  upstream_id        int references machine,
  downstream_id      int references machine,
  no_count_timeout_s numeric check (no_count_timeout_s >= 60), -- null: three ideal cycles, at least 60 s
  retired_at         timestamptz,
  unique (line_id, key),
  check (upstream_id <> id and downstream_id <> id)
);
create index machine_line on machine (line_id);
alter table line
  add constraint_machine_id int references machine, -- the machine that paces a 'constraint' line
  add last_machine_id       int references machine; -- the machine whose good pieces count for it

-- Where values come from: the publisher whose silence or death makes its machines' time unknown.
create table source (
  id                int generated always as identity primary key,
  site_id           int not null references site,
  form              text not null check (form in ('json', 'sparkplug', 'mapped')),
  address           text not null unique check (address <> ''), -- json: site/area/line/machine; sparkplug: group/node[/device]; mapped: a name
  no_data_timeout_s int not null default 60 check (no_data_timeout_s >= 60), -- presence is kept as first and last value of each minute, so no shorter
  max_backfill_s    int not null default 7776000 check (max_backfill_s > 0), -- 90 days; values older than that are set aside
  retired_at        timestamptz
);

create table signal (
  id              int generated always as identity primary key,
  machine_id      int not null references machine,
  source_id       int not null references source,
  key             text not null check (is_plant_key(key)),
  name            text not null check (name <> ''),
  role            text not null check (role in ('state', 'good_count', 'reject_count', 'rework_count', 'total_count', 'fault_code', 'job', 'product', 'measurement', 'energy')),
  retention_class text not null generated always as (case when role in ('measurement', 'energy') then 'trend' else 'ledger' end) stored,
  unit            text not null default '', -- UCUM-like: Cel, bar, mm/s, kW, kWh, 1 (pieces)
  scale           double precision not null default 1 check (scale <> 0), -- value in unit = raw * scale + value_offset
  value_offset    double precision not null default 0,
  value_map       jsonb check (jsonb_typeof(value_map) = 'object'), -- raw value as text -> value (for a state: PackML number or interval kind)
  counter_mode    text check (counter_mode in ('cumulative', 'increment')),
  counter_modulus double precision check (counter_modulus > 1), -- value at which a cumulative counter rolls over to 0; null: a step back is a reset
  period_s        numeric check (period_s > 0), -- configured reading period; null: by exception
  low_limit       double precision, -- physical limits in unit; outside is set aside
  high_limit      double precision,
  retired_at      timestamptz,
  unique (machine_id, key),
  check (low_limit < high_limit),
  check ((role like '%\_count') = (counter_mode is not null)),
  check (counter_modulus is null or counter_mode = 'cumulative')
);
create index signal_source on signal (source_id);

-- Values that do not follow takt/v1/<site>/<area>/<line>/<machine>/<signal>.
create table topic_mapping (
  id        int generated always as identity primary key,
  signal_id int not null references signal on delete cascade,
  form      text not null check (form in ('json', 'sparkplug')),
  pattern   text not null check (pattern <> ''), -- json: MQTT topic filter; sparkplug: group/node[/device]
  path      text not null default '', -- json: path in the payload, 'a.b.0.c', '' for the whole; sparkplug: the metric's name
  ts_path   text, -- json: path of the time stamp; null: 'ts' beside the value or of the payload, else time of receipt
  unique (form, pattern, path)
);
create index topic_mapping_signal on topic_mapping (signal_id);

create table product_line (
  id            int generated always as identity primary key,
  enterprise_id int not null references enterprise,
  key           text not null check (is_plant_key(key)),
  name          text not null check (name <> ''),
  retired_at    timestamptz,
  unique (enterprise_id, key)
);

create table product (
  id              int generated always as identity primary key,
  product_line_id int not null references product_line,
  key             text not null unique check (is_plant_key(key)), -- what a product signal says
  name            text not null check (name <> ''),
  retired_at      timestamptz
);

-- Ideal seconds per piece (machine cycle / cavities), by machine and product, from an instant on.
create table ideal_cycle (
  id            int generated always as identity primary key,
  machine_id    int not null references machine,
  product_id    int references product, -- null: the machine's default
  from_at       timestamptz not null,
  to_at         timestamptz, -- null: until further notice
  ideal_cycle_s double precision not null check (ideal_cycle_s > 0),
  check (from_at < to_at),
  exclude using gist (machine_id with =, (coalesce(product_id, 0)) with =, tstzrange(from_at, to_at) with &&)
);

create table shift_pattern (
  id         int generated always as identity primary key,
  site_id    int not null references site,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  retired_at timestamptz,
  unique (site_id, key)
);

create table shift (
  id               int generated always as identity primary key,
  shift_pattern_id int not null references shift_pattern on delete cascade,
  key              text not null check (is_plant_key(key)),
  name             text not null check (name <> ''),
  weekdays         int[] not null check (weekdays <@ '{1,2,3,4,5,6,7}' and cardinality(weekdays) > 0), -- ISO: 1 Monday
  start_local      time not null,
  end_local        time not null, -- not later than start_local: the next day
  unique (shift_pattern_id, key)
);

create table shift_break (
  id          int generated always as identity primary key,
  shift_id    int not null references shift on delete cascade,
  name        text not null check (name <> ''),
  start_local time not null,
  end_local   time not null
);
create index shift_break_shift on shift_break (shift_id);

create table line_shift_pattern (
  id               int generated always as identity primary key,
  line_id          int not null references line,
  shift_pattern_id int not null references shift_pattern,
  from_date        date not null,
  to_date          date, -- exclusive
  check (from_date < to_date),
  exclude using gist (line_id with =, daterange(from_date, to_date) with &&)
);

create table shift_instance (
  id            bigint generated always as identity primary key,
  line_id       int not null references line,
  shift_id      int references shift on delete set null,
  name          text not null,
  business_date date not null, -- local date of the start
  from_at       timestamptz not null,
  to_at         timestamptz not null,
  status        text not null default 'planned' check (status in ('planned', 'extra', 'cancelled')),
  check (from_at < to_at),
  exclude using gist (line_id with =, tstzrange(from_at, to_at) with &&) where (status <> 'cancelled')
);
create index shift_instance_line on shift_instance (line_id, from_at);

create table shift_instance_break (
  id                bigint generated always as identity primary key,
  shift_instance_id bigint not null references shift_instance on delete cascade,
  name              text not null,
  from_at           timestamptz not null,
  to_at             timestamptz not null,
  check (from_at < to_at),
  exclude using gist (shift_instance_id with =, tstzrange(from_at, to_at) with &&)
);

create table reason (
  id         int generated always as identity primary key,
  site_id    int not null references site,
  parent_id  int references reason,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  loss       text not null check (loss in ('breakdown', 'changeover', 'minor_stop', 'planned', 'external', 'quality', 'other')),
  fault_code text, -- the machine's own code that means this reason
  retired_at timestamptz,
  unique (site_id, key),
  check (parent_id <> id)
);

create table team (
  id         int generated always as identity primary key,
  site_id    int not null references site,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  retired_at timestamptz,
  unique (site_id, key)
);

-- Every change of the plant moves the revision on and wakes those who keep a copy of it (worker, boards).
create table plant_revision (
  "only"   boolean primary key default true check ("only"),
  revision bigint not null default 1,
  at       timestamptz not null default now()
);
insert into plant_revision default values;

create function bump_plant_revision() returns trigger language plpgsql as $$
begin
  update plant_revision set revision = revision + 1, at = now();
  perform pg_notify('plant', '');
  return null;
end $$;

do $$
declare t text;
begin
  foreach t in array array['enterprise', 'site', 'area', 'line', 'machine', 'source', 'signal', 'topic_mapping', 'product_line', 'product',
    'ideal_cycle', 'shift_pattern', 'shift', 'shift_break', 'line_shift_pattern', 'shift_instance', 'reason', 'team'] loop
    execute format('create trigger plant_changed after insert or update or delete or truncate on %I for each statement execute function bump_plant_revision()', t);
  end loop;
end $$;

-- The plant: ISA-95 hierarchy, signals and how they are addressed, products, rates, shifts, reasons, teams.
-- Keys are segments of topics and of addresses on screen: no '/', '+', '#', no control character, no leading '_' or '$'.
-- What has history is retired (retired_at), never deleted.
-- Rules between tables are keys of several columns. What such a key repeats of a parent (site_id, mapping_form, a shift's times) is filled in by the
-- trigger repeat_of_parent, whatever its writer says, and follows the parent. Some are looked at only at commit, because a plant file changes both sides.

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

-- Seconds that a clock takes from one time of day to the next time it shows the other; 0 where they are the same.
create function clock_seconds(from_local time, to_local time) returns numeric language sql immutable parallel safe
  return mod(extract(epoch from to_local - from_local) + 86400, 86400);

-- A shift that ends when it starts lasts a day.
create function shift_seconds(start_local time, end_local time) returns numeric language sql immutable parallel safe
  return case clock_seconds(start_local, end_local) when 0 then 86400 else clock_seconds(start_local, end_local) end;

-- When a shift is on in the week, in seconds since Monday 00:00. A week goes round: what Sunday's shift has of Monday lies at its beginning.
create function shift_week(weekdays int[], start_local time, end_local time) returns nummultirange language sql immutable parallel safe
  return (
    select range_agg(numrange(greatest(0, s.from_s - turn.s), least(604800, s.to_s - turn.s)))
    from unnest(weekdays) day,
      lateral (select (day - 1) * 86400 + clock_seconds('00:00', start_local) as from_s, (day - 1) * 86400 + clock_seconds('00:00', start_local) + shift_seconds(start_local, end_local) as to_s) s,
      (values (0), (604800)) turn(s)
    where s.from_s - turn.s < 604800 and s.to_s - turn.s > 0
  );

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
  unique (site_id, key),
  unique (id, site_id)
);

create table line (
  id         int generated always as identity primary key,
  area_id    int not null,
  site_id    int not null, -- its area's
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  topology   text not null default 'parallel' check (topology in ('parallel', 'constraint')),
  retired_at timestamptz,
  unique (area_id, key),
  unique (id, site_id),
  foreign key (area_id, site_id) references area (id, site_id) on update cascade
);

create table machine (
  id                 int generated always as identity primary key,
  line_id            int not null,
  site_id            int not null, -- its line's
  key                text not null check (is_plant_key(key)),
  name               text not null check (name <> ''),
  kind               text not null default 'machine' check (kind <> ''), -- press, injection_moulding, cnc, filler, packer ...
  position           int not null default 0, -- order along the line
  upstream_id        int, -- neighbours may stand in another line of the site
  downstream_id      int,
  no_count_timeout_s numeric check (no_count_timeout_s >= 60), -- null: three ideal cycles, at least 60 s
  retired_at         timestamptz,
  unique (line_id, key),
  unique (id, line_id),
  unique (id, site_id),
  foreign key (line_id, site_id) references line (id, site_id) on update cascade,
  foreign key (upstream_id, site_id) references machine (id, site_id) deferrable initially deferred,
  foreign key (downstream_id, site_id) references machine (id, site_id) deferrable initially deferred,
  check (upstream_id <> id and downstream_id <> id)
);
create index machine_line on machine (line_id);
-- Both are machines of this line, and a parallel line names none.
alter table line
  add constraint_machine_id int, -- the machine that paces a 'constraint' line
  add last_machine_id       int, -- the machine whose good pieces count for it
  add foreign key (constraint_machine_id, id) references machine (id, line_id) deferrable initially deferred,
  add foreign key (last_machine_id, id) references machine (id, line_id) deferrable initially deferred,
  add check (topology = 'constraint' or (constraint_machine_id is null and last_machine_id is null));

-- Where values come from: the publisher whose silence or death makes its machines' time unknown.
create table source (
  id                int generated always as identity primary key,
  site_id           int not null references site,
  form              text not null check (form in ('json', 'sparkplug', 'mapped')),
  address           text not null unique check (address <> ''), -- json: site/area/line/machine; sparkplug: group/node[/device]; mapped: a name
  no_data_timeout_s int not null default 60 check (no_data_timeout_s >= 60), -- presence is kept as first and last value of each minute, so no shorter
  max_backfill_s    int not null default 7776000 check (max_backfill_s > 0), -- 90 days; values older than that are set aside
  retired_at        timestamptz,
  mapping_form      text not null generated always as (case form when 'sparkplug' then 'sparkplug' else 'json' end) stored, -- of topic mappings to its signals
  unique (id, site_id),
  unique (id, mapping_form)
);

create table signal (
  id              int generated always as identity primary key,
  machine_id      int not null,
  source_id       int not null,
  site_id         int not null, -- its machine's
  mapping_form    text not null, -- its source's
  key             text not null check (is_plant_key(key) and key <> 'ts'), -- ts: in a message with many values that is the time
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
  site_in_use     int generated always as (case when retired_at is null then site_id end) stored, -- null: retired; its source may have gone to another site
  unique (machine_id, key),
  unique (id, mapping_form),
  -- a machine is in one state, at one job, on one product; looked at at commit, because a plant file may hand a role over
  exclude (machine_id with =, role with =) where (role in ('state', 'job', 'product') and retired_at is null) deferrable initially deferred,
  foreign key (machine_id, site_id) references machine (id, site_id) on update cascade,
  foreign key (source_id, site_in_use) references source (id, site_id) deferrable initially deferred,
  foreign key (source_id, mapping_form) references source (id, mapping_form) on update cascade,
  check (low_limit < high_limit),
  check ((role like '%\_count') = (counter_mode is not null)),
  check (counter_modulus is null or counter_mode = 'cumulative')
);
create index signal_source on signal (source_id);

-- Values that do not follow takt/v1/<site>/<area>/<line>/<machine>/<signal>. Metrics lead to signals of Sparkplug sources, topics to those of all others:
-- whether the source is there is told by the births and deaths of the one, and by the values of the other.
create table topic_mapping (
  id        int generated always as identity primary key,
  signal_id int not null,
  form      text not null check (form in ('json', 'sparkplug')),
  pattern   text not null check (pattern <> ''), -- json: MQTT topic filter; sparkplug: group/node[/device]
  path      text not null default '', -- json: path in the payload, 'a.b.0.c', '' for the whole; sparkplug: the metric's name
  ts_path   text, -- json: path of the time stamp; null: 'ts' beside the value or of the payload, else time of receipt
  unique (form, pattern, path),
  foreign key (signal_id, form) references signal (id, mapping_form) on delete cascade deferrable initially deferred
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
  unique (site_id, key),
  unique (id, site_id)
);

create table shift (
  id               int generated always as identity primary key,
  shift_pattern_id int not null references shift_pattern on delete cascade,
  key              text not null check (is_plant_key(key)),
  name             text not null check (name <> ''),
  weekdays         int[] not null check (weekdays <@ '{1,2,3,4,5,6,7}' and cardinality(weekdays) > 0), -- ISO: 1 Monday
  start_local      time not null,
  end_local        time not null, -- not later than start_local: the next day
  unique (shift_pattern_id, key),
  unique (id, start_local, end_local),
  exclude using gist (shift_pattern_id with =, shift_week(weekdays, start_local, end_local) with &&) deferrable initially deferred
);

-- Inside its shift, and of two of them none at the same time.
create table shift_break (
  id                int generated always as identity primary key,
  shift_id          int not null,
  shift_start_local time not null, -- its shift's
  shift_end_local   time not null,
  name              text not null check (name <> ''),
  start_local       time not null,
  end_local         time not null, -- not later than start_local: the next day
  foreign key (shift_id, shift_start_local, shift_end_local) references shift (id, start_local, end_local) on delete cascade on update cascade,
  check (clock_seconds(start_local, end_local) > 0),
  check (clock_seconds(shift_start_local, start_local) + clock_seconds(start_local, end_local) <= shift_seconds(shift_start_local, shift_end_local)),
  exclude using gist (shift_id with =, numrange(clock_seconds(shift_start_local, start_local),
    clock_seconds(shift_start_local, start_local) + clock_seconds(start_local, end_local)) with &&)
);
create index shift_break_shift on shift_break (shift_id);

create table line_shift_pattern (
  id               int generated always as identity primary key,
  line_id          int not null,
  shift_pattern_id int not null,
  site_id          int not null, -- its line's
  from_date        date not null,
  to_date          date, -- exclusive
  foreign key (line_id, site_id) references line (id, site_id) on update cascade,
  foreign key (shift_pattern_id, site_id) references shift_pattern (id, site_id) deferrable initially deferred,
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
  parent_id  int,
  key        text not null check (is_plant_key(key)),
  name       text not null check (name <> ''),
  loss       text not null check (loss in ('breakdown', 'changeover', 'minor_stop', 'planned', 'external', 'quality', 'other')),
  fault_code text, -- the machine's own code that means this reason
  retired_at timestamptz,
  unique (site_id, key),
  unique (id, site_id),
  foreign key (parent_id, site_id) references reason (id, site_id) deferrable initially deferred,
  exclude using gist (site_id with =, fault_code with =) where (retired_at is null) deferrable initially deferred, -- one code, one reason
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

create function repeat_of_parent() returns trigger language plpgsql as $$
begin
  case tg_table_name
    when 'line' then
      select site_id into new.site_id from area where id = new.area_id;
    when 'machine' then
      select site_id into new.site_id from line where id = new.line_id;
    when 'line_shift_pattern' then
      select site_id into new.site_id from line where id = new.line_id;
    when 'signal' then
      select site_id into new.site_id from machine where id = new.machine_id;
      select mapping_form into new.mapping_form from source where id = new.source_id;
    when 'shift_break' then
      select start_local, end_local into new.shift_start_local, new.shift_end_local from shift where id = new.shift_id;
  end case;
  return new;
end $$;
create trigger repeat_of_parent before insert or update of area_id on line for each row execute function repeat_of_parent();
create trigger repeat_of_parent before insert or update of line_id on machine for each row execute function repeat_of_parent();
create trigger repeat_of_parent before insert or update of line_id on line_shift_pattern for each row execute function repeat_of_parent();
create trigger repeat_of_parent before insert or update of machine_id, source_id on signal for each row execute function repeat_of_parent();
create trigger repeat_of_parent before insert or update of shift_id on shift_break for each row execute function repeat_of_parent();

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

-- The plant set up on screen: money and targets that hold from a time on, the shift calendar, devices, a tree of reasons with three levels at most.

-- ISO 4217. Which codes there are is the application's to know: the list changes more often than a schema.
create function is_currency(code text) returns boolean language sql immutable parallel safe
  return code ~ '^[A-Z]{3}$';

create or replace function repeat_of_parent() returns trigger language plpgsql as $$
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
    when 'shift' then
      select site_id into new.site_id from shift_pattern where id = new.shift_pattern_id;
    when 'product' then
      select enterprise_id into new.enterprise_id from product_line where id = new.product_line_id;
    when 'product_cost' then
      select enterprise_id into new.enterprise_id from site where id = new.site_id;
  end case;
  return new;
end $$;
create trigger repeat_of_parent before insert or update of shift_pattern_id on shift for each row execute function repeat_of_parent();
create trigger repeat_of_parent before insert or update of product_line_id on product for each row execute function repeat_of_parent();

alter table enterprise add currency text check (is_currency(currency)); -- of the group: what figures of several sites are added up in
alter table site add currency text check (is_currency(currency)); -- of all money of the site; null: no money is entered there

-- What one unit of a currency is in the group's currency, by month.
create table currency_rate (
  id            int generated always as identity primary key,
  enterprise_id int not null references enterprise,
  key           text not null unique check (is_plant_key(key)), -- USD-2026-04
  currency      text not null check (is_currency(currency)),
  month         date not null check (extract(day from month) = 1), -- its first day
  rate          numeric not null check (rate > 0),
  unique (enterprise_id, currency, month)
);

-- Money in the site's currency, each from an instant on.
create table machine_cost (
  id            int generated always as identity primary key,
  machine_id    int not null references machine,
  from_at       timestamptz not null,
  to_at         timestamptz, -- null: until further notice
  cost_per_hour numeric not null check (cost_per_hour >= 0), -- of one hour of the machine
  check (from_at < to_at),
  exclude using gist (machine_id with =, tstzrange(from_at, to_at) with &&)
);

-- A site values the products of its enterprise: a product repeats its product line's, a cost its site's.
alter table site add unique (id, enterprise_id);
alter table product_line add unique (id, enterprise_id);
alter table product add enterprise_id int;
update product p set enterprise_id = l.enterprise_id from product_line l where l.id = p.product_line_id;
alter table product
  alter enterprise_id set not null,
  add unique (id, enterprise_id),
  drop constraint product_product_line_id_fkey,
  add foreign key (product_line_id, enterprise_id) references product_line (id, enterprise_id) on update cascade;

create table product_cost (
  id                   int generated always as identity primary key,
  site_id              int not null,
  product_id           int not null,
  enterprise_id        int not null, -- its site's
  from_at              timestamptz not null,
  to_at                timestamptz,
  value_per_piece      numeric check (value_per_piece >= 0), -- what a good piece is worth
  scrap_cost_per_piece numeric check (scrap_cost_per_piece >= 0), -- what a rejected piece costs
  foreign key (site_id, enterprise_id) references site (id, enterprise_id) on update cascade,
  foreign key (product_id, enterprise_id) references product (id, enterprise_id) deferrable initially deferred,
  check (from_at < to_at),
  check (num_nonnulls(value_per_piece, scrap_cost_per_piece) > 0),
  exclude using gist (site_id with =, product_id with =, tstzrange(from_at, to_at) with &&)
);
create index product_cost_product on product_cost (product_id);
create trigger repeat_of_parent before insert or update of site_id on product_cost for each row execute function repeat_of_parent();

create table energy_price (
  id            int generated always as identity primary key,
  site_id       int not null references site,
  from_at       timestamptz not null,
  to_at         timestamptz,
  price_per_kwh numeric not null check (price_per_kwh >= 0),
  check (from_at < to_at),
  exclude using gist (site_id with =, tstzrange(from_at, to_at) with &&)
);

-- What is to be reached: by a site, a line or a machine.
create table target (
  id                   int generated always as identity primary key,
  site_id              int references site,
  line_id              int references line,
  machine_id           int references machine,
  from_at              timestamptz not null,
  to_at                timestamptz,
  oee_percent          numeric check (oee_percent > 0 and oee_percent <= 100),
  availability_percent numeric check (availability_percent > 0 and availability_percent <= 100),
  performance_percent  numeric check (performance_percent > 0 and performance_percent <= 100),
  quality_percent      numeric check (quality_percent > 0 and quality_percent <= 100),
  pieces_per_hour      numeric check (pieces_per_hour > 0), -- good ones
  check (from_at < to_at),
  check (num_nonnulls(site_id, line_id, machine_id) = 1),
  check (num_nonnulls(oee_percent, availability_percent, performance_percent, quality_percent, pieces_per_hour) > 0),
  exclude using gist ((coalesce(site_id, 0)) with =, (coalesce(line_id, 0)) with =, (coalesce(machine_id, 0)) with =, tstzrange(from_at, to_at) with &&)
);

-- A shift repeats the site of its pattern: what the calendar of a site takes away is a shift of that site.
alter table shift add site_id int;
update shift s set site_id = p.site_id from shift_pattern p where p.id = s.shift_pattern_id;
alter table shift
  alter site_id set not null,
  add unique (id, site_id),
  drop constraint shift_shift_pattern_id_fkey,
  add foreign key (shift_pattern_id, site_id) references shift_pattern (id, site_id) on delete cascade on update cascade;

-- Days on which shifts are other than their pattern says.
create table calendar_entry (
  id          int generated always as identity primary key,
  site_id     int not null references site,
  key         text not null check (is_plant_key(key)),
  name        text not null check (name <> ''),
  kind        text not null check (kind in ('holiday', 'extra_shift', 'cancelled_shift')), -- holiday: none of the shifts
  line_id     int, -- null: all lines of the site
  shift_id    int, -- cancelled_shift: the one that does not take place
  first_date  date not null, -- business dates, both included
  last_date   date not null,
  start_local time, -- extra_shift
  end_local   time, -- not later than start_local: the next day
  unique (site_id, key),
  foreign key (line_id, site_id) references line (id, site_id) deferrable initially deferred,
  foreign key (shift_id, site_id) references shift (id, site_id) deferrable initially deferred,
  check (first_date <= last_date and last_date - first_date <= 366),
  check ((kind = 'extra_shift') = (start_local is not null) and (kind = 'extra_shift') = (end_local is not null)),
  check ((kind = 'cancelled_shift') = (shift_id is not null))
);
create index calendar_entry_shift on calendar_entry (shift_id);

create table calendar_break (
  id                int generated always as identity primary key,
  calendar_entry_id int not null references calendar_entry on delete cascade,
  name              text not null check (name <> ''),
  start_local       time not null,
  end_local         time not null
);
create index calendar_break_entry on calendar_break (calendar_entry_id);

-- Extra or cancelled because the calendar says so, and no longer when it does not.
alter table shift_instance add by_calendar boolean not null default false;

-- Who connects to the broker: a gateway or a controller with a certificate of its own.
create table device (
  id                     int generated always as identity primary key,
  site_id                int not null references site,
  key                    text not null check (is_plant_key(key)),
  name                   text not null check (name <> ''),
  identity               text not null check (identity ~ '^[^[:cntrl:]]{1,64}$' and identity = btrim(identity)), -- common name of its certificate, the broker's user name
  certificate_sha256     text check (certificate_sha256 ~ '^[0-9a-f]{64}$'), -- fingerprint of the certificate's DER form
  certificate_expires_at timestamptz,
  firmware               text not null default '',
  topics                 text[] not null default '{}', -- topic filters below which it may publish
  retired_at             timestamptz,
  unique (site_id, key)
);

create unique index device_identity on device (identity) where retired_at is null;
create unique index device_certificate on device (certificate_sha256) where retired_at is null;

alter table signal
  add dead_band double precision check (dead_band > 0 and dead_band < 'Infinity'), -- in unit: a smaller change from the last kept value is not kept
  add keep_raw boolean not null default false, -- a measurement whose raw values are kept for ever
  add check (dead_band is null or role = 'measurement'),
  add check (not keep_raw or role in ('measurement', 'energy'));
-- Its expression is changed by making the column anew: "set expression" is of PostgreSQL 17.
alter table signal drop column retention_class;
alter table signal
  add retention_class text not null generated always as (case when role in ('measurement', 'energy') and not keep_raw then 'trend' else 'ledger' end) stored;

-- The publisher that a machine's signals come from where they do not say otherwise; null: the one at its own topic.
alter table machine
  add source_id int,
  add site_in_use int generated always as (case when retired_at is null then site_id end) stored; -- null: retired; its source may have gone to another site
create index machine_source on machine (source_id);
with counted as (
  select machine_id, source_id, count(*) as n, min(id) as first_id from signal where retired_at is null group by machine_id, source_id
), main as (
  select distinct on (c.machine_id) c.machine_id, c.source_id from counted c order by c.machine_id, c.n desc, c.first_id
), paths as (
  select m.id, concat_ws('/', s.key, a.key, l.key, m.key) as path
  from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
)
update machine m set source_id = main.source_id
from main, paths p
where main.machine_id = m.id and p.id = m.id
  and not exists (select from counted c join source o on o.id = c.source_id where c.machine_id = m.id and o.address = p.path);
alter table machine add foreign key (source_id, site_in_use) references source (id, site_id) deferrable initially deferred;

-- Reasons: three levels at most, no way round.
create function check_reason_tree() returns trigger language plpgsql as $$
declare
  above int;
  below int;
begin
  with recursive up as (
    select new.parent_id as id, 1 as steps where new.parent_id is not null
    union all
    select r.parent_id, up.steps + 1 from up join reason r on r.id = up.id where r.parent_id is not null and up.steps < 4
  )
  select coalesce(max(steps), 0) into above from up;
  with recursive down as (
    select new.id as id, 0 as steps
    union all
    select r.id, down.steps + 1 from down join reason r on r.parent_id = down.id where down.steps < 4
  )
  select max(steps) into below from down;
  -- A way round never ends: both are cut off at 4.
  if above + below > 2 then
    raise exception 'The reason % would be below itself, or deeper than three levels.', new.key using errcode = 'check_violation', constraint = 'reason_tree';
  end if;
  return null;
end $$;
-- After the statement: a whole tree may be moved in one.
create constraint trigger reason_tree after insert or update of parent_id on reason for each row execute function check_reason_tree();

do $$
declare t text;
begin
  foreach t in array array['currency_rate', 'machine_cost', 'product_cost', 'energy_price', 'target', 'calendar_entry', 'calendar_break', 'device'] loop
    execute format('create trigger plant_changed after insert or update or delete or truncate on %I for each statement execute function bump_plant_revision()', t);
  end loop;
end $$;

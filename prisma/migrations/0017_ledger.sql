-- The ledger: what people say of jobs and stops, and what is derived from that, from readings and from the plan.

alter table site
  add no_order_is_planned boolean not null default false, -- time without an order is a planned stop
  add shift_grace_s int not null default 7200 check (shift_grace_s between 0 and 604800); -- a shift is final so long after its end
alter table line
  add micro_stop_s int not null default 300 check (micro_stop_s between 0 and 3600), -- a stop of at most so long is a micro-stop
  add micro_stops_are text not null default 'performance' check (micro_stops_are in ('performance', 'availability')),
  add pieces_per_piece double precision not null default 1 check (pieces_per_piece > 0 and pieces_per_piece < 'Infinity'); -- pieces of the constraint in one of the last machine
alter table machine
  add min_run_s int not null default 0 check (min_run_s between 0 and 3600), -- shorter runs are noise
  add ignore_stop_s int not null default 0 check (ignore_stop_s between 0 and 3600), -- shorter stops are noise
  add startup_s int not null default 0 check (startup_s between 0 and 86400); -- run seconds after a changeover or a long stand in which rejects are start-up rejects

-- A production order.
create table job (
  id                      int generated always as identity primary key,
  site_id                 int not null references site,
  number                  text not null check (number ~ '^[^[:cntrl:]]{1,64}$' and number = btrim(number)), -- what a job signal says
  product_id              int not null references product,
  quantity                double precision not null check (quantity > 0 and quantity < 'Infinity'), -- good pieces
  due_at                  timestamptz,
  line_id                 int,
  machine_id              int, -- null: of the whole line
  ideal_cycle_s           double precision check (ideal_cycle_s > 0 and ideal_cycle_s < 'Infinity'), -- null: the product's on the machine
  scrap_allowance_percent numeric not null default 0 check (scrap_allowance_percent between 0 and 100),
  position                int not null default 0, -- sequence on its line
  status                  text not null default 'planned' check (status in ('planned', 'running', 'paused', 'finished', 'cancelled')),
  version                 int not null default 1,
  created_at              timestamptz not null default now(),
  unique (site_id, number),
  unique (id, site_id),
  foreign key (line_id, site_id) references line (id, site_id) on update cascade,
  foreign key (machine_id, line_id) references machine (id, line_id),
  check (machine_id is null or line_id is not null)
);
create index job_line on job (line_id, position) where status in ('planned', 'running', 'paused');
create index job_product on job (product_id);

-- What was said on screen: from then on the machine works on the job, or on none.
create table job_said (
  machine_id int not null references machine,
  at         timestamptz not null,
  job_id     int references job, -- null: on none
  said_by    uuid references person on delete set null,
  said_at    timestamptz not null,
  primary key (machine_id, at)
);
create index job_said_job on job_said (job_id);

-- What people say of stops; never changed, never taken away: an undo is another. Stops are named by an instant in them.
create table stop_edit (
  id         bigint generated always as identity primary key,
  machine_id int not null references machine,
  kind       text not null check (kind in ('reclassify', 'split', 'merge', 'trim', 'add', 'false_stop', 'undo')),
  at         timestamptz, -- in the stop; where its second part begins
  from_at    timestamptz,
  to_at      timestamptz,
  reason     text, -- key of a reason of the site
  undoes     bigint references stop_edit,
  note       text not null default '',
  by_rule    bigint, -- entered by a rule and not by a person
  edited_by  uuid references person on delete set null,
  edited_at  timestamptz not null default now(),
  check (from_at < to_at),
  check (case kind
    when 'reclassify' then num_nonnulls(at) = 1 and num_nonnulls(from_at, to_at, undoes) = 0
    when 'split' then num_nonnulls(at) = 1 and num_nonnulls(from_at, to_at, undoes, reason) = 0
    when 'false_stop' then num_nonnulls(at) = 1 and num_nonnulls(from_at, to_at, undoes, reason) = 0
    when 'trim' then num_nonnulls(at, from_at, to_at) = 3 and num_nonnulls(undoes, reason) = 0
    when 'merge' then num_nonnulls(from_at, to_at) = 2 and num_nonnulls(at, undoes, reason) = 0
    when 'add' then num_nonnulls(from_at, to_at) = 2 and num_nonnulls(at, undoes) = 0
    when 'undo' then num_nonnulls(undoes) = 1 and num_nonnulls(at, from_at, to_at, reason) = 0 end)
);
create index stop_edit_machine on stop_edit (machine_id, id);
create unique index stop_edit_undoes on stop_edit (undoes); -- of two who undo the same, one does

-- The ledger: each machine's time in rows without gap or overlap, cut by clock hour, shift, job, product and rate. Derived.
create table machine_interval (
  machine_id        int not null,
  from_at           timestamptz not null,
  to_at             timestamptz not null,
  is_open           boolean not null, -- still so when it was computed
  kind              text not null check (kind in ('not_scheduled', 'planned_stop', 'unknown', 'changeover', 'blocked', 'starved', 'micro_stop', 'down', 'run')),
  base              text not null check (base in ('run', 'down', 'changeover', 'suspended', 'planned_stop', 'unknown')), -- what the machine did, whatever calendar, neighbours and people say of it
  base_at           timestamptz not null, -- since when without a break
  stop_at           timestamptz, -- start of the stop that it is a part of
  reason            text,
  change_at         timestamptz, -- the change of job that it is the changeover for
  shift_instance_id bigint,
  date              date not null, -- business date, of unscheduled time the local one
  hour_at           timestamptz not null, -- clock hour of the site
  job               text,
  product           text,
  rate_id           int,
  ideal_cycle_s     double precision,
  is_startup        boolean not null,
  is_stop_start     boolean not null,
  is_dead           boolean not null,
  is_bridged        boolean not null,
  gap_good          double precision,
  gap_reject        double precision,
  gap_rework        double precision,
  gap_within        boolean,
  primary key (machine_id, from_at),
  check (from_at < to_at),
  check (num_nonnulls(gap_good, gap_reject, gap_rework, gap_within) in (0, 4))
);
select create_hypertable('machine_interval', by_range('from_at', interval '7 days'), create_default_indexes => false);
create index machine_interval_job on machine_interval (job, machine_id, from_at) where job is not null;
create index machine_interval_dead on machine_interval (machine_id, from_at) where is_dead;
create index machine_interval_stop on machine_interval (machine_id, stop_at) where stop_at is not null;

-- No gap and no overlap. No row is longer than a clock hour, so its neighbours are found by their starts.
create function check_interval_chain() returns trigger language plpgsql as $$
declare wrong record;
begin
  select * into wrong from (
    select i.machine_id, i.to_at, lead(i.from_at) over (partition by i.machine_id order by i.from_at) as next_at
    from (select machine_id, min(from_at) as from_at, max(to_at) as to_at from touched group by machine_id) t
    join machine_interval i on i.machine_id = t.machine_id and i.from_at between t.from_at - interval '1 hour' and t.to_at
  ) n where next_at <> to_at limit 1;
  if found then
    raise exception 'Time of machine % would have a gap or an overlap: % is followed by %.', wrong.machine_id, wrong.to_at, wrong.next_at
      using errcode = 'exclusion_violation', constraint = 'machine_interval_chain';
  end if;
  return null;
end $$;
create trigger chain_inserted after insert on machine_interval referencing new table as touched for each statement execute function check_interval_chain();
create trigger chain_updated after update on machine_interval referencing new table as touched for each statement execute function check_interval_chain();
create trigger chain_deleted after delete on machine_interval referencing old table as touched for each statement execute function check_interval_chain();

-- Additive facts of a machine in a clock hour of a shift, by job, product and rate; and, without a machine and a rate, of a line. Derived. Names: server/domain/facts.ts.
create table oee_fact (
  line_id           int not null,
  machine_id        int, -- null: of the line
  shift_instance_id bigint, -- null: unscheduled time
  date              date not null,
  hour_at           timestamptz not null,
  job               text,
  product           text,
  rate_id           int,
  ideal_cycle_s     double precision,
  not_scheduled_s double precision not null, planned_stop_s double precision not null, unknown_s double precision not null, unbridged_s double precision not null,
  changeover_s double precision not null, blocked_s double precision not null, starved_s double precision not null, micro_stop_s double precision not null,
  down_s double precision not null, run_s double precision not null, ideal_s double precision not null, good_ideal_s double precision not null,
  startup_reject_ideal_s double precision not null, gap_good_ideal_s double precision not null, gap_within_good_ideal_s double precision not null,
  off_good_ideal_s double precision not null, good double precision not null, reject double precision not null, rework double precision not null,
  startup_reject double precision not null, gap_good double precision not null, gap_reject double precision not null, gap_rework double precision not null,
  off_good double precision not null, off_reject double precision not null, off_rework double precision not null, unrated double precision not null,
  stops double precision not null, micro_stops double precision not null, changeovers double precision not null, failures double precision not null,
  repair_s double precision not null, uncosted_s double precision not null, changeover_pieces double precision not null, blocked_pieces double precision not null,
  starved_pieces double precision not null, micro_stop_pieces double precision not null, down_pieces double precision not null,
  speed_pieces double precision not null, startup_reject_pieces double precision not null, reject_pieces double precision not null,
  changeover_money double precision not null, blocked_money double precision not null, starved_money double precision not null,
  micro_stop_money double precision not null, down_money double precision not null, speed_money double precision not null,
  startup_reject_money double precision not null, reject_money double precision not null
);
select create_hypertable('oee_fact', by_range('hour_at', interval '30 days'), create_default_indexes => false);
create unique index oee_fact_machine on oee_fact (machine_id, hour_at, shift_instance_id, date, job, product, rate_id) nulls not distinct where machine_id is not null;
create unique index oee_fact_line on oee_fact (line_id, hour_at, shift_instance_id, date, job, product) nulls not distinct where machine_id is null;
create index oee_fact_line_date on oee_fact (line_id, date) where machine_id is null;
create index oee_fact_machine_date on oee_fact (machine_id, date) where machine_id is not null;
create index oee_fact_shift on oee_fact (shift_instance_id);

-- How far the ledger of a machine reaches.
create table ledger_reach (
  machine_id   int primary key references machine,
  from_at      timestamptz not null,
  to_at        timestamptz not null, -- computed as of this instant
  refreshed_at timestamptz not null,
  vouched_to   timestamptz, -- nobody listened to its sources beyond this; null: somebody does
  check (from_at < to_at)
) with (fillfactor = 50);

-- Marks that are being worked off.
create table ledger_claim (
  id         bigint generated always as identity primary key,
  line_id    int not null references line on delete cascade,
  machine_id int not null references machine on delete cascade,
  from_at    timestamptz not null,
  to_at      timestamptz not null,
  claimed_at timestamptz not null default now()
);
create index ledger_claim_line on ledger_claim (line_id);
create index ledger_claim_machine on ledger_claim (machine_id);

create index machine_upstream on machine (upstream_id) where upstream_id is not null;
create index machine_downstream on machine (downstream_id) where downstream_id is not null;
-- Machines, their neighbours, whose blocked and starved time hangs on them, and a constraint line's other machine.
create function ledger_concerns(machines int[]) returns setof int language sql stable as $$
  select c from unnest(machines) c
  union select n.id from machine n where n.upstream_id = any(machines)
  union select n.id from machine n where n.downstream_id = any(machines)
  union select case l.constraint_machine_id when m.id then l.last_machine_id else l.constraint_machine_id end
    from machine m join line l on l.id = m.line_id and l.topology = 'constraint' and m.id in (l.constraint_machine_id, l.last_machine_id) where m.id = any(machines)
$$;

-- Claims the time of machines, and of those that hang on them. What is yet to come
-- will be told as things are then. No end is cut off at how far the ledger reaches: a refresh under way may be telling more with what it read before.
create function claim_ledger(machines int[], since timestamptz, till timestamptz) returns void language plpgsql as $$
begin
  if since > now() + interval '5 minutes' or machines is null then return; end if;
  insert into ledger_claim (line_id, machine_id, from_at, to_at)
  select m.line_id, m.id, since, greatest(least(till, now() + interval '5 minutes'), since + interval '1 millisecond')
  from ledger_concerns(machines) c join machine m on m.id = c
  where exists (select from signal g join signal_latest t on t.signal_id = g.id where g.machine_id = m.id) -- of others there is nothing to tell
  order by m.id;
  perform pg_notify('ledger_claim', '');
end $$;

-- What was said or planned otherwise than before: the time that it speaks of is told anew. Settings without a time of their own speak of all time.
create function claim_changed() returns trigger language plpgsql as $$
declare
  was   jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
  becomes jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
  r     jsonb;
  since timestamptz;
  till  timestamptz;
begin
  if tg_op = 'UPDATE' and not exists (select from unnest(tg_argv::text[]) c where was -> c is distinct from becomes -> c) then return null; end if;
  for r in select v from unnest(array[was, becomes]) v where v is not null loop
    case tg_table_name
      when 'shift_instance' then
        perform claim_ledger(array(select id from machine where line_id = (r ->> 'line_id')::int), (r ->> 'from_at')::timestamptz, (r ->> 'to_at')::timestamptz);
      when 'shift_instance_break' then
        perform claim_ledger(array(select m.id from machine m join shift_instance i on i.line_id = m.line_id where i.id = (r ->> 'shift_instance_id')::bigint),
          (r ->> 'from_at')::timestamptz, (r ->> 'to_at')::timestamptz);
      when 'ideal_cycle', 'machine_cost' then
        perform claim_ledger(array[(r ->> 'machine_id')::int], (r ->> 'from_at')::timestamptz, coalesce((r ->> 'to_at')::timestamptz, 'infinity'));
      when 'product_cost' then
        perform claim_ledger(array(select id from machine where site_id = (r ->> 'site_id')::int), (r ->> 'from_at')::timestamptz, coalesce((r ->> 'to_at')::timestamptz, 'infinity'));
      when 'reason' then
        if tg_op <> 'INSERT' or r ->> 'fault_code' is not null then
          perform claim_ledger(array(select id from machine where site_id = (r ->> 'site_id')::int), '-infinity', 'infinity');
        end if;
      when 'job' then -- a number may have been said before the job was entered
        select min(i.from_at) into since from machine_interval i where i.job = r ->> 'number' and i.machine_id in (select id from machine where site_id = (r ->> 'site_id')::int);
        perform claim_ledger(array(select id from machine where site_id = (r ->> 'site_id')::int), least(since, now() - interval '1 hour'), 'infinity');
      when 'job_said' then
        select min(s.at) into till from job_said s where s.machine_id = (r ->> 'machine_id')::int and s.at > (r ->> 'at')::timestamptz;
        perform claim_ledger(array[(r ->> 'machine_id')::int], (r ->> 'at')::timestamptz, coalesce(till, 'infinity'));
      when 'stop_edit' then
        with recursive about as (
          select e.* from stop_edit e where e.id = (r ->> 'id')::bigint
          union select e.* from about a join stop_edit e on e.id = a.undoes
        )
        select least(min(at), min(from_at)), greatest(max(at), max(to_at)) into since, till from about;
        perform claim_ledger(array[(r ->> 'machine_id')::int], since, till);
      when 'machine' then
        perform claim_ledger(array[(r ->> 'id')::int], '-infinity', 'infinity');
      when 'line' then
        perform claim_ledger(array(select id from machine where line_id = (r ->> 'id')::int), '-infinity', 'infinity');
      when 'site' then
        perform claim_ledger(array(select id from machine where site_id = (r ->> 'id')::int), '-infinity', 'infinity');
      when 'signal' then
        if r ->> 'retention_class' = 'ledger' then perform claim_ledger(array[(r ->> 'machine_id')::int], '-infinity', 'infinity'); end if;
      when 'source' then
        perform claim_ledger(array(select machine_id from signal where source_id = (r ->> 'id')::int), '-infinity', 'infinity');
    end case;
  end loop;
  return null;
end $$;
do $$
declare
  one record;
begin
  for one in select * from (values
    ('shift_instance', 'insert or update or delete', '{from_at,to_at,status,line_id,business_date}'),
    ('shift_instance_break', 'insert or update or delete', '{from_at,to_at}'),
    ('ideal_cycle', 'insert or update or delete', '{machine_id,product_id,from_at,to_at,ideal_cycle_s}'),
    ('machine_cost', 'insert or update or delete', '{machine_id,from_at,to_at,cost_per_hour}'),
    ('product_cost', 'insert or update or delete', '{site_id,product_id,from_at,to_at,value_per_piece,scrap_cost_per_piece}'),
    ('reason', 'insert or update or delete', '{key,loss,fault_code}'),
    ('job', 'insert or update or delete', '{number,product_id}'),
    ('job_said', 'insert', '{}'),
    ('stop_edit', 'insert', '{}'),
    ('machine', 'update', '{line_id,upstream_id,downstream_id,no_count_timeout_s,min_run_s,ignore_stop_s,startup_s}'),
    ('line', 'update', '{topology,constraint_machine_id,last_machine_id,micro_stop_s,pieces_per_piece}'),
    ('site', 'update', '{zone,no_order_is_planned}'),
    ('signal', 'insert or update', '{machine_id,source_id,role,value_map,counter_mode,counter_modulus,period_s}'),
    ('source', 'update', '{form,no_data_timeout_s}')) t (name, events, columns) loop
    execute format('create trigger ledger_claim after %s on %I for each row execute function claim_changed(%s)', one.events, one.name,
      (select string_agg(quote_literal(c), ', ') from unnest(one.columns::text[]) c));
  end loop;
end $$;

-- What a shift came to: final a grace time after its end, and again with what brought it about whenever that came to be known otherwise. Only added to.
create table shift_version (
  shift_instance_id bigint not null references shift_instance on delete cascade,
  version           int not null check (version > 0),
  made_at           timestamptz not null,
  oee               double precision, -- of the line; null: nothing was planned
  facts             jsonb not null, -- sums of the line by their names (server/domain/facts.ts)
  stops             jsonb not null, -- seconds by kind and reason, of all machines of the line
  causes            jsonb not null, -- [{"kind","n"}], server/domain/restatement.ts; of version 1 none
  primary key (shift_instance_id, version)
);
-- Final shifts whose facts were written again: to be compared with what they were.
create table shift_touched (
  shift_instance_id bigint primary key references shift_instance on delete cascade,
  touched_at        timestamptz not null default now()
);

insert into audit_exempt values
  ('shift_version', 'computed from readings, plan and what people said, each of which is recorded'),
  ('shift_touched', 'work to be done by programs'),
  ('machine_interval', 'computed from readings, plan and what people said'),
  ('oee_fact', 'computed from readings, plan and what people said'),
  ('ledger_reach', 'how far programs have computed'),
  ('ledger_claim', 'work to be done by programs');

-- In the audit trail a job is called by its number.
do $$ begin
  execute replace(pg_get_functiondef('audit_attach'::regproc), '''key'', ''username''', '''key'', ''number'', ''username''');
end $$;
select audit_attach();

-- The hourly roll-up and the dropping of what has been kept long enough (server/jobs).

-- n counts readings that carry a value of good quality (flag 8 is not set); mean, min, max and last are theirs.
alter table sample_hour add last_at timestamptz not null; -- instant of last

-- Marks taken off trend_mark to be worked off, one row each time, so that what is marked again meanwhile is another row.
-- A mark moves here first; only then do the workers forget that they had set it; only then is the hour added up.
create table trend_claim (
  id        bigint generated always as identity primary key,
  signal_id int not null references signal,
  hour      timestamptz not null
);
create index trend_claim_hour on trend_claim (hour);

-- Hours before raw_dropped_to are not whole in sample any more: what is found there came late and is added to its hour, once.
create table trend_retention (
  "only"         boolean primary key default true check ("only"),
  raw_dropped_to timestamptz not null default '-infinity'
);
insert into trend_retention default values;

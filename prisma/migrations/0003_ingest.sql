-- The ingest worker's own: who reads which topics, how it fares, and what it set aside.

-- One reader per topic. fence grows with each new holder and is checked in every write transaction, so a reader that lost its lease cannot write.
-- generation moves on after marks were claimed and before they are worked off: the worker then forgets which marks it has already set.
create table ingest_lease (
  name        text primary key, -- the worker's name: one for each set of topic filters
  filters     text[] not null check (cardinality(filters) > 0),
  fence       bigint not null default 1,
  generation  bigint not null default 1,
  holder      text not null, -- host, process id, start
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
  fingerprint      bytea not null unique, -- of topic, metric and payload: a redelivery is not a second letter
  received_at      timestamptz not null,
  last_received_at timestamptz not null,
  repeats          int not null default 0, -- received again since
  form             text not null check (form in ('message', 'value')), -- value: one value of a message, written as {"ts","value"}
  topic            text not null,
  metric           text, -- Sparkplug: name of the metric
  payload          bytea not null,
  payload_size     int not null, -- as received; larger than length(payload) where only the head was kept
  value_count      int not null default 1,
  reason_code      text not null,
  reason           text not null, -- for the plant engineer
  status           text not null default 'open' check (status in ('open', 'retry', 'resolved', 'discarded')),
  status_at        timestamptz not null default now()
);
create index dead_letter_open on dead_letter (received_at desc) where status = 'open';
create index dead_letter_retry on dead_letter (id) where status = 'retry';
create index dead_letter_topic on dead_letter (topic, metric) where status = 'open';

-- Wall displays, which show boards by a link without anybody signed in, and tokens, by which other programs ask.
-- What beats every half minute (heartbeats, last use) lies in tables of its own, apart from what people change.

create table display (
  id               int generated always as identity primary key, -- also the number by which people find it in the hall
  site_id          int not null references site,
  name             text not null check (name <> '' and length(name) <= 80),
  theme            text not null default 'dark' check (theme in ('dark', 'light')),
  locale           text check (locale ~ '^[a-z]{2}$'), -- null: the browser's
  link_hash        bytea not null unique check (length(link_hash) = 32), -- sha256 of the link's secret, which is kept nowhere
  link_made_at     timestamptz not null,
  link_expires_at  timestamptz, -- null: until it is revoked
  raise_after_s    int check (raise_after_s between 0 and 86400), -- a machine that is down or silent for longer brings its board up; null: none does
  raise_for_s      int check (raise_for_s between 10 and 3600), -- and keeps it up for so long; null: until it is over
  rotation_from_at timestamptz not null, -- an instant at which a round of its boards began
  pinned_line_id   int references line, -- a person's choice
  pinned_until_at  timestamptz, -- null: until a person ends it
  concerns_seen_at timestamptz, -- what brought a board up before this instant has been seen
  identify_at      timestamptz, -- it shows its name large for 20 s from here on
  reload_at        timestamptz, -- a page that was loaded before reloads itself
  created_at       timestamptz not null,
  created_by       uuid references person on delete set null,
  revoked_at       timestamptz,
  version          int not null default 1,
  check (raise_after_s is not null or raise_for_s is null),
  check (pinned_line_id is not null or pinned_until_at is null)
);
create unique index display_name on display (site_id, lower(name)) where revoked_at is null;

-- The boards that it may show, and shows in turn.
create table display_board (
  display_id int not null references display on delete cascade,
  line_id    int not null references line,
  position   int not null, -- order in the round
  shown_s    int not null check (shown_s between 5 and 3600),
  primary key (display_id, line_id)
);
create index display_board_line on display_board (line_id);

create function check_display_board() returns trigger language plpgsql as $$
begin
  if (select a.site_id from line l join area a on a.id = l.area_id where l.id = new.line_id) is distinct from
     (select d.site_id from display d where d.id = new.display_id) then
    raise exception 'a display shows boards of its own site only' using errcode = 'check_violation', constraint = 'display_board_site';
  end if;
  return new;
end $$;
create trigger display_board_site before insert or update on display_board for each row execute function check_display_board();

-- Last sign of life of each screen on which the link is open: more than one is worth a look.
create table display_heartbeat (
  display_id  int not null references display on delete cascade,
  screen_id   text not null check (length(screen_id) <= 64), -- made by the page, kept by its browser
  first_at    timestamptz not null,
  at          timestamptz not null,
  width       int not null, -- of the page, CSS pixels
  height      int not null,
  pixel_ratio double precision not null, -- device pixels for each of them
  page        text not null, -- the board it shows, as site/area/line; '' where it shows none
  build       text not null, -- the version of its page
  user_agent  text,
  address     text,
  primary key (display_id, screen_id)
);

create table api_token (
  id         int generated always as identity primary key,
  name       text not null check (name <> '' and length(name) <= 80),
  hash       bytea not null unique check (length(hash) = 32), -- sha256 of the token, which is kept nowhere
  owner_id   uuid not null references person on delete cascade, -- it may never do more than this person may at that moment
  all_sites  boolean not null,
  site_ids   int[] not null default '{}',
  actions    text[] not null check (cardinality(actions) > 0), -- names of server/domain/permission.ts
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at and expires_at <= created_at + interval '366 days'),
  revoked_at timestamptz,
  version    int not null default 1,
  check (all_sites = (cardinality(site_ids) = 0))
);
create index api_token_owner on api_token (owner_id);

create table api_token_use (
  token_id int primary key references api_token on delete cascade,
  at       timestamptz not null, -- last use, to the minute
  address  text
);

-- Wakes the displays themselves, the page that lists them, and what is open by a right that may be gone.
create function notify_display() returns trigger language plpgsql as $$
declare
  changed int := case tg_table_name when 'display' then (to_jsonb(coalesce(new, old)) ->> 'id')::int else (to_jsonb(coalesce(new, old)) ->> 'display_id')::int end;
begin
  perform pg_notify('display', changed::text);
  if tg_table_name = 'display_board' or tg_op = 'DELETE' then
    perform pg_notify('permission', 'display:' || changed);
  elsif tg_op = 'UPDATE' and (to_jsonb(new) -> 'revoked_at', to_jsonb(new) -> 'link_hash', to_jsonb(new) -> 'link_expires_at')
                 is distinct from (to_jsonb(old) -> 'revoked_at', to_jsonb(old) -> 'link_hash', to_jsonb(old) -> 'link_expires_at') then
    perform pg_notify('permission', 'display:' || changed);
  end if;
  return null;
end $$;
create trigger display_changed after insert or update or delete on display for each row execute function notify_display();
create trigger display_changed after insert or update or delete on display_board for each row execute function notify_display();

-- A heartbeat is news only where it says something new; that it came is looked up by whoever wants to know.
create function notify_display_heartbeat() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' or new.at - old.at > interval '75 seconds'
     or (new.width, new.height, new.pixel_ratio, new.page, new.build, new.address) is distinct from (old.width, old.height, old.pixel_ratio, old.page, old.build, old.address) then
    perform pg_notify('display', new.display_id || ':beat');
  end if;
  return null;
end $$;
create trigger display_beat after insert or update on display_heartbeat for each row execute function notify_display_heartbeat();

create function notify_api_token() returns trigger language plpgsql as $$
begin
  perform pg_notify('permission', 'token:' || coalesce(new.id, old.id));
  return null;
end $$;
create trigger api_token_changed after update or delete on api_token for each row execute function notify_api_token();

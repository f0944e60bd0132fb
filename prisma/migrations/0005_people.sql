-- People: who they are, how they sign in, what they hold and where. Tables of the identity library (person, session, account, verification, two_factor) carry
-- its columns in our spelling; everything else is ours. Secrets are kept as hashes, or encrypted with the application's secret; never in clear.

-- Administrators of the site need a second factor: without it their administrator's rights rest.
alter table site add requires_second_factor boolean not null default false;

create table person (
  id                 uuid primary key default gen_random_uuid(),
  name               text not null check (name <> '' and name = btrim(name) and length(name) <= 100),
  email              text unique check (email = lower(email) and length(email) <= 254 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  email_verified     boolean not null default false, -- said by a sign-in provider
  username           text unique check (username ~ '^[a-z0-9][a-z0-9._-]{1,39}$'), -- no '@': what is typed at sign-in is one or the other
  image              text, -- the library's; not shown
  two_factor_enabled boolean not null default false,
  locale             text check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'), -- null: the browser's
  disabled_at        timestamptz, -- may not sign in; history keeps the name
  version            int not null default 1, -- of what people edit: name, address, memberships
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  check (email is not null or username is not null)
);

-- A tablet or computer that several people use: registered once by a supervisor, unlocked with a PIN, locked again by itself.
create table terminal (
  id           int generated always as identity primary key,
  site_id      int not null references site,
  name         text not null check (name <> '' and length(name) <= 100),
  secret_hash  bytea not null unique, -- sha256 of what the terminal's cookie holds
  auto_lock_s  int not null default 120 check (auto_lock_s between 15 and 3600), -- seconds without touch
  created_at   timestamptz not null default now(),
  created_by   uuid references person on delete set null,
  last_seen_at timestamptz,
  last_address text,
  revoked_at   timestamptz
);
create index terminal_site on terminal (site_id);

-- Its lines; none: all of the site.
create table terminal_line (
  terminal_id int not null references terminal on delete cascade,
  line_id     int not null references line,
  primary key (terminal_id, line_id)
);

create table session (
  id            uuid primary key default gen_random_uuid(),
  token         text not null unique, -- half of what the cookie holds: without the signature by the application's secret it opens nothing
  person_id     uuid not null references person on delete cascade,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  expires_at    timestamptz not null, -- the absolute limit
  seen_at       timestamptz not null default now(), -- last time the person did something
  idle_s        int not null default 28800 check (idle_s > 0), -- seconds without doing anything after which it is over
  method        text not null default 'password' check (method in ('password', 'provider', 'pin', 'link')),
  second_factor boolean not null default false, -- given at sign-in
  terminal_id   int references terminal on delete cascade, -- unlocked there with a PIN
  ip_address    text,
  user_agent    text,
  check ((method = 'pin') = (terminal_id is not null))
);
create index session_person on session (person_id);
create index session_expires on session (expires_at);
create index session_terminal on session (terminal_id) where terminal_id is not null;

-- How a person signs in: provider 'credential' has a password, any other is a sign-in provider's subject.
create table account (
  id                       uuid primary key default gen_random_uuid(),
  person_id                uuid not null references person on delete cascade,
  provider_id              text not null,
  account_id               text not null,
  password                 text, -- scrypt
  access_token             text, -- these six are the library's and stay empty: nothing is fetched from a provider after sign-in
  refresh_token            text,
  id_token                 text,
  access_token_expires_at  timestamptz,
  refresh_token_expires_at timestamptz,
  scope                    text,
  created_at               timestamptz not null default now(),
  updated_at               timestamptz not null default now(),
  unique (provider_id, account_id),
  unique (person_id, provider_id)
);

-- Short-lived state of a sign-in under way: with a provider, or between password and second factor.
create table verification (
  id         uuid primary key default gen_random_uuid(),
  identifier text not null, -- hashed
  value      text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verification_identifier on verification (identifier);
create index verification_expires on verification (expires_at);

create table two_factor (
  id                        uuid primary key default gen_random_uuid(),
  person_id                 uuid not null unique references person on delete cascade,
  secret                    text not null, -- encrypted, as the recovery codes are
  backup_codes              text not null,
  verified                  boolean not null default false,
  failed_verification_count int not null default 0,
  locked_until              timestamptz
);

-- What a person holds. site_id null: at all sites.
create table membership (
  id            int generated always as identity primary key,
  person_id     uuid not null references person on delete cascade,
  role          text not null check (role in ('operator', 'supervisor', 'technician', 'storekeeper', 'quality', 'plant_manager', 'executive', 'administrator', 'viewer')),
  site_id       int references site,
  from_provider boolean not null default false, -- given by the sign-in provider's claim: follows it at every sign-in
  unique nulls not distinct (person_id, role, site_id)
);
create index membership_site on membership (site_id);

-- An operator's own lines; none: all of the site.
create table membership_line (
  membership_id int not null references membership on delete cascade,
  line_id       int not null references line,
  primary key (membership_id, line_id)
);

-- A line belongs to its membership's or terminal's own site.
create function check_line_of_site() returns trigger language plpgsql as $$
declare
  line_site int := (select a.site_id from line l join area a on a.id = l.area_id where l.id = new.line_id);
  own_site  int := case when tg_table_name = 'membership_line' then (select m.site_id from membership m where m.id = (to_jsonb(new) ->> 'membership_id')::int)
                        else (select t.site_id from terminal t where t.id = (to_jsonb(new) ->> 'terminal_id')::int) end;
begin
  if line_site is distinct from own_site then
    raise exception 'line % is not of site %', new.line_id, own_site using errcode = 'check_violation', constraint = tg_table_name || '_site';
  end if;
  return null;
end $$;
create constraint trigger line_of_site after insert or update on membership_line for each row execute function check_line_of_site();
create constraint trigger line_of_site after insert or update on terminal_line for each row execute function check_line_of_site();

-- The PIN for shared terminals.
create table person_pin (
  person_id   uuid primary key references person on delete cascade,
  hash        text not null, -- scrypt of the PIN keyed with the application's secret: four digits would be guessed from a hash alone
  must_change boolean not null default false, -- given by a supervisor: the person chooses another at first use
  set_at      timestamptz not null default now()
);

-- Links that open once: the first administrator's, an invitation, a new password.
create table one_time_link (
  id          int generated always as identity primary key,
  purpose     text not null check (purpose in ('first_administrator', 'invitation', 'password_reset')),
  person_id   uuid references person on delete cascade,
  secret_hash bytea not null unique, -- sha256 of 256 random bits
  created_at  timestamptz not null default now(),
  created_by  text not null, -- who made it, in words: a name, or the program
  expires_at  timestamptz not null,
  used_at     timestamptz,
  revoked_at  timestamptz,
  check ((purpose = 'first_administrator') = (person_id is null)),
  check (created_at < expires_at)
);
create index one_time_link_person on one_time_link (person_id);

-- Browsers in which a person has signed in: tries of strangers do not slow these down.
create table known_device (
  id           int generated always as identity primary key,
  person_id    uuid not null references person on delete cascade,
  secret_hash  bytea not null, -- sha256 of what the browser's cookie holds
  created_at   timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  unique (person_id, secret_hash)
);

-- Failed tries, shared by all web processes. key: a keyed hash of what was tried from where; what was typed is not kept.
create table sign_in_try (
  key           bytea primary key,
  failures      double precision not null default 0 check (failures >= 0), -- they leak away with time, so no whole number
  last_at       timestamptz not null,
  blocked_until timestamptz
);
create index sign_in_try_last on sign_in_try (last_at);

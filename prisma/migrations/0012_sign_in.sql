-- What signing in has to remember: by whose hand a PIN came, what a provider said of the second factor, and what people are to be told.

-- Said by the sign-in provider when the person came by it last: what acts in their name (tokens) goes by it, which has no session.
alter table account add second_factor boolean not null default false;

-- given_by: who gave the PIN; whoever gives one has held it in hand. opens: the duties it was given for ('operator@1', 'viewer@*'), which is all that it opens,
-- also when the person gets others later; '*': all of the floor, for the person chose it, having given their password.
alter table person_pin
  add given_by uuid references person on delete set null,
  add opens text[] not null default '{*}';

-- What a person is told on the next screen that they open: what others did to how they sign in.
create table person_notice (
  id        int generated always as identity primary key,
  person_id uuid not null references person on delete cascade,
  kind      text not null check (kind in ('pin_given', 'pin_closed', 'provider_linked')),
  by_name   text, -- whose doing it was; null: nobody's here
  at        timestamptz not null,
  seen_at   timestamptz -- the person has put it away
);
create index person_notice_person on person_notice (person_id) where seen_at is null;
insert into audit_exempt ("table", reason) values ('person_notice', 'what people are told of; each is recorded as what happened');

-- As in 0009, and now also where somebody's second factor goes: tokens in their name rest with their rights.
create or replace function notify_person_right() returns trigger language plpgsql as $$
declare
  row_was jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
  row_is  jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
  whose   uuid;
  t       int;
begin
  -- A session is touched all the time; what counts is that it ends.
  if tg_table_name = 'session' and tg_op = 'UPDATE'
     and (row_was ->> 'expires_at')::timestamptz <= (row_is ->> 'expires_at')::timestamptz and row_was -> 'person_id' = row_is -> 'person_id' then return null; end if;
  if tg_table_name = 'person' and tg_op = 'UPDATE' and row_was -> 'disabled_at' = row_is -> 'disabled_at'
     and row_was -> 'two_factor_enabled' = row_is -> 'two_factor_enabled' then return null; end if;
  for whose in
    select distinct w from unnest(case tg_table_name
      when 'person' then array[(row_was ->> 'id')::uuid, (row_is ->> 'id')::uuid]
      when 'membership_line' then array(select m.person_id from membership m where m.id in ((row_was ->> 'membership_id')::int, (row_is ->> 'membership_id')::int))
      else array[(row_was ->> 'person_id')::uuid, (row_is ->> 'person_id')::uuid] end) w where w is not null
  loop
    perform pg_notify('permission', 'person:' || whose);
    -- A token may never do more than its owner.
    if tg_table_name <> 'session' then
      for t in select id from api_token where owner_id = whose and revoked_at is null loop
        perform pg_notify('permission', 'token:' || t);
      end loop;
    end if;
  end loop;
  return null;
end $$;

-- Wakes what is open by a right that may be gone: `person:<id>`, `token:<id>`, or '' where it may be anybody's.

create function notify_person_right() returns trigger language plpgsql as $$
declare
  row_was jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
  row_is  jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
  whose   uuid;
  t       int;
begin
  -- A session is touched all the time; what counts is that it ends.
  if tg_table_name = 'session' and tg_op = 'UPDATE'
     and (row_was ->> 'expires_at')::timestamptz <= (row_is ->> 'expires_at')::timestamptz and row_was -> 'person_id' = row_is -> 'person_id' then return null; end if;
  if tg_table_name = 'person' and tg_op = 'UPDATE' and row_was -> 'disabled_at' = row_is -> 'disabled_at' then return null; end if;
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
create trigger right_changed after update or delete on person for each row execute function notify_person_right();
create trigger right_changed after update or delete on session for each row execute function notify_person_right();
create trigger right_changed after insert or update or delete on membership for each row execute function notify_person_right();
create trigger right_changed after insert or update or delete on membership_line for each row execute function notify_person_right();

-- A terminal that is taken out of use, and a site that asks its administrators for a second factor.
create function notify_anybodys_right() returns trigger language plpgsql as $$
begin
  perform pg_notify('permission', '');
  return null;
end $$;
create trigger right_changed after update of revoked_at on terminal for each row when (old.revoked_at is distinct from new.revoked_at) execute function notify_anybodys_right();
create trigger right_changed after update of requires_second_factor on site for each row
  when (old.requires_second_factor is distinct from new.requires_second_factor) execute function notify_anybodys_right();

-- Somebody must be left who can administer all sites, whoever takes the right from the last one: a person, the sign-in provider's claim, a statement in the database.
-- Looked at when all of a transaction's changes are there; one transaction after the other, or two would each leave the other's.
create function keep_an_administrator() returns trigger language plpgsql as $$
declare
  whose uuid := case tg_table_name when 'person' then (to_jsonb(old) ->> 'id')::uuid else (to_jsonb(old) ->> 'person_id')::uuid end;
begin
  if tg_table_name = 'person' and not exists (select from membership m where m.person_id = whose and m.role = 'administrator' and m.site_id is null) then return null; end if;
  -- Who could not sign in was none: an invitation that is taken back.
  if not exists (select from account a where a.person_id = whose and (a.password is not null or a.provider_id <> 'credential')) then return null; end if;
  perform pg_advisory_xact_lock(hashtext('keep_an_administrator'));
  if not exists (
    select from membership m join person p on p.id = m.person_id join account a on a.person_id = p.id
    where m.role = 'administrator' and m.site_id is null and p.disabled_at is null and (a.password is not null or a.provider_id <> 'credential')
  ) then
    raise exception 'This is the last administrator of all sites.' using errcode = 'check_violation', constraint = 'last_administrator';
  end if;
  return null;
end $$;
create constraint trigger last_administrator after update or delete on membership deferrable initially deferred for each row
  when (old.role = 'administrator' and old.site_id is null) execute function keep_an_administrator();
create constraint trigger last_administrator after update of disabled_at on person deferrable initially deferred for each row
  when (old.disabled_at is null and new.disabled_at is not null) execute function keep_an_administrator();

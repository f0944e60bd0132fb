-- Tries that wait for their turn: a place in a row, held by the browser that came for it, in the order in which they came.

-- row_key: whose row it is (as sign_in_try.key). due_at: when its holder is to ask again; who stays away loses the place. has_returned: its holder has asked again
-- once, as a flood of single tries never does.
create table sign_in_ticket (
  id           bigint generated always as identity primary key,
  row_key      bytea not null,
  secret_hash  bytea not null unique, -- sha256 of what the browser's cookie holds
  due_at       timestamptz not null,
  has_returned boolean not null default false
);
create index sign_in_ticket_row on sign_in_ticket (row_key, id);
create index sign_in_ticket_due on sign_in_ticket (due_at);
insert into audit_exempt ("table", reason) values ('sign_in_ticket', 'places of tries that wait for their turn; each try is recorded as person.refused');

-- When a count says nothing any more: names that nobody has are tried by the thousand, and their counts need not lie about for days.
alter table sign_in_try add forgotten_at timestamptz;
update sign_in_try set forgotten_at = greatest(last_at + interval '5 days', blocked_until);
alter table sign_in_try alter forgotten_at set not null;
drop index sign_in_try_last;
create index sign_in_try_forgotten on sign_in_try (forgotten_at);

-- pin_tried: to supervisors, that somebody's PIN is being tried.
alter table person_notice drop constraint person_notice_kind_check;
alter table person_notice add constraint person_notice_kind_check check (kind in ('pin_given', 'pin_closed', 'pin_tried', 'provider_linked'));

-- The common name in a device's certificate, where it was read: another than the identity is refused by the broker.
alter table device add certificate_name text check (certificate_name <> '');

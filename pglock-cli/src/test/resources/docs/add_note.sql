-- docs: sql-file
-- pglock: lockTimeout=3s
create table if not exists notes (id bigint primary key, note text);

-- pglock: prioritize=terminate
alter table orders add column note_id bigint;

begin;
alter table orders add constraint orders_note foreign key (note_id) references notes not valid;
insert into notes values (1, 'all or nothing');
commit;

alter table orders validate constraint orders_note;
create index concurrently orders_note_id on orders (note_id);
-- end

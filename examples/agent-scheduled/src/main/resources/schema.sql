create table if not exists article (id int primary key, pieces int not null);
create table if not exists counted (at timestamptz default clock_timestamp(), pieces int);
insert into article values (1, 0) on conflict do nothing;

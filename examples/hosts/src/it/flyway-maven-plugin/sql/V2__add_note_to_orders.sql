-- docs: start-flyway-sql
alter table orders add column note text;
-- end

--liquibase formatted sql
-- docs: liquibase-sql

--changeset bob:3 lockTimeout:5s
alter table items add column third text;

--changeset bob:4
--comment: pglock lockTimeout=5s prioritize=off
alter table items add column fourth text;
-- end

-- docs: flyway-comment
-- pglock: lockTimeout=5s prioritize=off
alter table items add column note text;
-- end

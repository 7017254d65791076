-- docs: liquibase-changes-sql
with before as (
    select current_setting('lock_timeout') as value, set_config('lock_timeout', '10s', true)
), locked as (
    select value, pg_advisory_xact_lock(-8663603374018903193) from before
)
select set_config('lock_timeout', value, true) from locked;

select set_config('pglock.before_lock_table', current_setting('lock_timeout'), true),
       set_config('lock_timeout', '5s', true);
lock table public.orders, billing.invoices in share row exclusive mode;
select set_config('lock_timeout', current_setting('pglock.before_lock_table'), true);
-- end

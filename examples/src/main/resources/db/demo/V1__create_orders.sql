create table orders (
    id       bigint primary key,
    customer text not null,
    total    numeric(10, 2) not null
);

insert into orders
select n, 'customer ' || n % 1000, n % 100
from generate_series(1, 100000) n;

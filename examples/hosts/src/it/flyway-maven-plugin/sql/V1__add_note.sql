alter table shop.orders add column note text;

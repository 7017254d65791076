// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** What is to be done once a night, and would be done by every instance. */
@Component
class Nightly {

    private final JdbcTemplate jdbc;
    private final Refilling<Articles> stock;
    private final Articles articles;

    Nightly(JdbcTemplate jdbc, Refilling<Articles> stock, Articles articles) {
        this.jdbc = jdbc;
        this.stock = stock;
        this.articles = articles;
    }

    @Scheduled(cron = "${shop.nightly}")
    void run() {
        count();
        stock.refill(articles);
    }

    private void count() {
        jdbc.update("insert into counted (pieces) select sum(pieces) from article");
        System.out.println("counted by " + ProcessHandle.current().pid());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** What is to be done once a night, and would be done by every instance. */
@Component
class Nightly {

    private final JdbcTemplate jdbc;
    private final Stock stock;

    Nightly(JdbcTemplate jdbc, Stock stock) {
        this.jdbc = jdbc;
        this.stock = stock;
    }

    @Scheduled(cron = "${shop.nightly}")
    void run() {
        count();
        stock.refill();
    }

    private void count() {
        jdbc.update("insert into counted (pieces) select sum(pieces) from article");
        System.out.println("counted by " + ProcessHandle.current().pid());
    }
}

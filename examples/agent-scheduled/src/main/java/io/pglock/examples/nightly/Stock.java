// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** What there is of each article. */
@Component
class Stock {

    private final Articles articles;

    Stock(Articles articles) {
        this.articles = articles;
    }

    /** JPA writes to the database when the transaction commits, and that is when this has returned. */
    @Transactional
    void refill() {
        articles.findAll().forEach(Article::refill);
    }
}

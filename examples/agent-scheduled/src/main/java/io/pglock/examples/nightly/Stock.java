// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** What there is of each article. */
@Component
class Stock implements Refilling<Articles> {

    /** JPA writes to the database when the transaction commits, and that is when this has returned. */
    @Override
    @Transactional
    public void refill(Articles articles) {
        articles.findAll().forEach(Article::refill);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;

@Entity
class Article {

    @Id
    private int id;

    @SuppressWarnings("UnusedVariable") // Hibernate reads it, and writes it when it commits
    private int pieces;

    void refill() {
        pieces += 10;
    }
}

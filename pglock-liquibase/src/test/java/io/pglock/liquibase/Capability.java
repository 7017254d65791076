// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

/** What a Liquibase lets pglock do: the columns of docs/liquibase-compatibility.md, in this order. */
enum Capability {
    FOUND("found by itself"),
    TIMEOUTS("timeouts"),
    PRECONDITIONS("preconditions"),
    ROLLBACK("rollback"),
    CHANGESET_AGAIN("changeset again"),
    STATEMENT_AGAIN("statement again"),
    FAIL_ON_ERROR("`failOnError`"),
    PRIORITIZE("prioritize"),
    GIVING_WAY("giving way"),
    CONCURRENTLY("`CONCURRENTLY`"),
    SETTINGS("settings"),
    OVERRIDES("overrides"),
    CHANGES("`lockTable`, `advisoryLock`"),
    SCHEMA("XSD offline"),
    CHANGELOG_LOCK("changelog lock"),
    LEFT_ALONE("left alone");

    final String title;

    Capability(String title) {
        this.title = title;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

/** What a Flyway lets pglock do: the columns of docs/flyway-compatibility.md, in this order. */
enum Capability {
    FOUND("found by itself"),
    ONCE("once beside other callbacks"),
    MAP("settings: `Map`"),
    CONF("`flyway.conf`"),
    ENVIRONMENT("environment"),
    TYPED("setters"),
    TIMEOUTS("timeouts"),
    PRIORITIZE("prioritize"),
    REPLAY("replay"),
    GIVING_WAY("giving way"),
    CONCURRENTLY("`CONCURRENTLY`"),
    COMMENT("`-- pglock:` comment"),
    ANNOTATION("`@MigrationPolicy`"),
    WHOLE_RUN("`PgLockFlyway.migrate`"),
    LEFT_TO_FLYWAY("left to Flyway");

    final String title;

    Capability(String title) {
        this.title = title;
    }
}

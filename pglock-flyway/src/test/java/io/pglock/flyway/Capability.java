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
    CONCURRENTLY("`CONCURRENTLY`");

    final String title;

    Capability(String title) {
        this.title = title;
    }
}

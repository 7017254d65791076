// SPDX-License-Identifier: Apache-2.0
/** PostgreSQL's locks under control, on your own connection. */
@SuppressWarnings("module") // pglock-liquibase and pglock-spring are compiled after this one
module io.pglock {
    requires transitive java.sql;
    requires java.naming; // what pgjdbc's data sources are made of
    requires static org.jspecify;
    requires jdk.jfr;
    requires org.postgresql.jdbc;

    exports io.pglock;
    exports io.pglock.annotation;
    exports io.pglock.internal to
            io.pglock.liquibase,
            io.pglock.spring;
}

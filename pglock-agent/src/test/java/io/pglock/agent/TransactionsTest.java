// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Methods with a timeout, in every state of a transaction, with every driver and on every JVM: what the server says. */
@PostgresTest
class TransactionsTest {

    /** Inside: 1111 ms, the method's. Afterwards: 5 s, the connection's own, and an agent that has nothing left to do. */
    private static final String EXPECTED = """
            transaction already open: 1111ms 5s 5s
            transaction begun inside: 1111ms 5s 5s 0
            autocommit: 1111ms 1111ms
            autocommit, after: 5s
            transaction ended inside: 1111ms 1111ms
            transaction ended inside, after: 5s
            begin in autocommit: 1111ms 5s 5s
            read-only: on 1111ms
            read-only, after: 5s on
            opened inside: 1111ms
            opened inside, after: 5s
            statement timeout: 1333ms 5s 57014
            statement timeout, after: 5s 0
            not locked in time: 55P03
            not locked in time, after: 1.1 s
            failed, then back to a savepoint: 1111ms
            failed, then back to a savepoint, after: 5s
            failed, then back to a savepoint, at last: 5s
            back to a savepoint from before: 1111ms 1111ms
            back to a savepoint from before, after: 5s 5s
            back to a savepoint from before, at last: 5s
            back to a savepoint from inside: 5s 5s 5s
            ended failed, goes on: 5s 5s
            ended failed, its own savepoint: 5s 5s
            ended failed, rolled back: 5s
            autosave=always: 1111ms 1111ms
            autosave=always, after: 5s 5s
            session, then transaction: 1111ms 1111ms
            session, then transaction, after: 5s 5s 5s
            session, then transaction that failed: 5s
            session, then transaction that failed, after: 5s
            session, then transaction that goes on without a statement: 5s 0
            session, then transaction that goes on without a statement, after: 5s
            nested in a transaction: 1111ms 2222ms 1111ms 1111ms 1333ms 0 5s
            nested in a transaction, after: 5s
            nested in autocommit: 2222ms 1111ms none 1111ms
            nested in autocommit, after: 5s
            nested, used by the inner one: 2222ms 5s
            the application's own: 1111ms 9s
            the application's own, after: 9s
            the application's own in a transaction: 1111ms 9s
            the application's own in a transaction, after: 9s 5s
            the application's own in one transaction: 9s 1111ms
            the application's own, reset: 5s
            the application's own, reset, after: 5s
            the application's own, reset, next: 1111ms
            after ours, local: 1111ms 9s 5s
            after ours, rolled back: 1111ms 9s 5s
            after ours, back to a savepoint: 1111ms 1111ms 5s
            after ours, committed: 1111ms 9s 9s
            after ours, another's: 1111ms 1111ms 5s
            after ours, local and still open: 9s 5s 5s
            the application's own with work in one text: 9s 9s
            the application's own with work in one text, after: 9s
            told and put back: 1111ms 9s 5s
            told and put back, in a query: 1111ms 9s 1111ms 5s
            told and put back, in a transaction: 1111ms 9s 5s
            told and put back, still open: 5s
            told and put back, still open, after: 5s
            told and put back, rolled back: 5s
            told and put back, rolled back, after: 5s
            told and put back, before the commit: 1111ms 9s 5s 5s 5s
            told and put back, local: 1111ms 9s 5s 5s 5s
            told and put back, local and nested: 2222ms 5s 5s
            told and set otherwise, local: 9s 5s
            told and put back, local and back to a savepoint: 5s 5s
            told and put back, nested: 1111ms 9s 2222ms 5s
            told and set otherwise: 1111ms
            repeatable read: 1 0 1111ms
            repeatable read, after: 5s
            serializable: 1 0 1111ms
            serializable, after: 5s
            repeatable read, prior: 1 0 1111ms
            repeatable read, prior, after: 5s
            serializable, prior: 1 0 1111ms
            serializable, prior, after: 5s
            set transaction: serializable on 1111ms
            repeatable read, already open: 1 1111ms
            batch: 5s 1=1111ms 2=1111ms 3=1111ms 4=1111ms 5=1111ms
            batch in a transaction: 5s 1=1111ms 2=1111ms
            several in one text: 1111ms 1111ms 5s
            cursor: 5s 5s 1=1111ms 2=1111ms 3=1111ms 4=1111ms 5=5s 6=5s
            simple protocol: 1111ms
            simple protocol, after: 5s 5s
            server-prepared: 1111ms 5s 1111ms 5s
            large object: 55P03
            large object, after: 5s
            copy: 55P03
            copy, after: 5s
            copy still open: 1 5s 5s
            copy still open in a transaction: 0 5s 5s
            closed inside: armed 0
            terminated inside: 57P01 armed 0
            terminated inside, not noticed: armed 0
            throws: the application's 5s
            the role's and the database's own: 1111ms
            the role's and the database's own, after: 7s
            armed: 0
            """;

    private final Database database;

    TransactionsTest(Database database) {
        this.database = database;
    }

    static Stream<Arguments> driversAndJvms() {
        return AgentJvm.driversAndJvms();
    }

    @ParameterizedTest
    @MethodSource("driversAndJvms")
    void timeoutsHoldInsideAndNothingIsLeftOfThemAfterwards(String driver, Path jvm) {
        try (ForkedJvm application = AgentJvm.with("", Transactions.class)
                .java(jvm)
                .classPath(AgentJvm.withDriver(driver))
                .database(database)
                .start()) {
            application.awaitLine("armed:", Duration.ofSeconds(60));

            assertThat(application.exitCode()).isZero();
            assertThat(readings(application))
                    .containsExactlyElementsOf(EXPECTED.lines().toList());
        }
    }

    private static List<String> readings(ForkedJvm application) {
        return application.output().stream()
                .filter(line -> !line.contains("nobody watches for blockers in this transaction"))
                .toList();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One round, drawn: who does what, what the guarded session waits for, and what is asked of pglock. Immutable. */
record Mess(Guard guard, List<Part> parts, boolean sharesWatch) {

    static final int ACTORS = 12;

    /** Its role is protected by name, that of the others is not. */
    static final int PROTECTED_ACTOR = 11;

    static final String PROTECTED_APPLICATION = "proof protected";
    static final String SPARED_APPLICATION = "proof spared";

    /** In a hard blocker's place, everybody is signalled but those. */
    private static final String[] APPLICATIONS = {
        "web", "web", "web", "report", "psql", "pg_dump", "pg_basebackup", PROTECTED_APPLICATION, SPARED_APPLICATION
    };

    private static final String[] MODES = {
        "access share",
        "row share",
        "row exclusive",
        "share update exclusive",
        "share",
        "share row exclusive",
        "exclusive",
        "access exclusive"
    };

    private static final String[] ROW_STRENGTHS = {"update", "no key update", "share", "key share"};

    static final String TABLES = """
            create table t0 (id int primary key, note text);
            create table t1 (id int primary key, note text);
            insert into t0 select n, 'a' from generate_series(1, 4) n;
            insert into t1 select n, 'a' from generate_series(1, 4) n;
            create schema s0;
            grant all on all tables in schema public to public;
            grant all on schema s0 to public;
            """;

    /** What some have committed is undone. */
    static final String AGAIN = """
            delete from t0 where id > 4;
            delete from t1 where id > 4;
            insert into t0 select n, 'a' from generate_series(1, 4) n on conflict do nothing;
            insert into t1 select n, 'a' from generate_series(1, 4) n on conflict do nothing;
            do $$ begin
                if to_regnamespace('s0') is null
                        or exists (select 1 from pg_class where relnamespace = to_regnamespace('s0')) then
                    drop schema if exists s0 cascade;
                    create schema s0;
                    grant all on schema s0 to public;
                end if;
            end $$;
            """;

    /** What is asked of pglock. */
    enum Aim {
        REPORT,
        CANCEL,
        TERMINATE,
        DRY_RUN
    }

    /**
     * The guarded session's.
     *
     * @param before what it does, in a transaction, before the others begin
     * @param statement what then has to wait
     * @param lockTimeout ends the wait
     * @param looks so many that see somebody in the way end the wait as well
     * @param closesAfter when the scope is closed although the statement still waits; zero: when that has ended
     */
    record Guard(
            Aim aim,
            Duration after,
            Duration grace,
            Duration minAge,
            Duration lockTimeout,
            int looks,
            List<String> before,
            String statement,
            boolean inTransaction,
            Duration closesAfter) {}

    /**
     * One session's.
     *
     * @param actor which session it is
     * @param marked whether it is guarded by another JVM's pglock
     * @param guarded whether it is guarded by this JVM's
     * @param prelude what it does first
     * @param tail what it does later: {@code tailAfter} the guarded session began to wait, or at the moment of a signal
     * @param rollsBack whether it rolls back after an error
     */
    record Part(
            int actor,
            String application,
            boolean marked,
            boolean guarded,
            List<String> prelude,
            List<String> tail,
            Duration tailAfter,
            boolean overtakes,
            boolean rollsBack) {

        /** Whether it does something at the moment of a signal. */
        boolean isOvertaking() {
            return overtakes && !tail.isEmpty();
        }
    }

    /** What locks are about. */
    private enum Kind {
        RELATION,
        ROW,
        INSERT,
        ADVISORY,
        OBJECT,
        VIRTUALXID
    }

    private record Target(Kind kind, int which, int row) {

        static Target draw(Random random) {
            Kind[] kinds = {
                Kind.RELATION,
                Kind.RELATION,
                Kind.RELATION,
                Kind.ROW,
                Kind.ROW,
                Kind.INSERT,
                Kind.ADVISORY,
                Kind.ADVISORY,
                Kind.OBJECT,
                Kind.VIRTUALXID
            };
            return new Target(kinds[random.nextInt(kinds.length)], random.nextInt(2), 1 + random.nextInt(2));
        }

        /** A statement that takes a lock on it, in one mode or another. */
        String lock(Random random, int session) {
            return switch (kind) {
                case RELATION, VIRTUALXID ->
                    random.nextInt(4) == 0
                            ? "select count(*) from t" + which
                            : "lock table t" + which + " in " + MODES[random.nextInt(MODES.length)] + " mode";
                case ROW ->
                    switch (random.nextInt(4)) {
                        case 0 -> "update t" + which + " set note = 'b' where id = " + row;
                        case 1 -> "delete from t" + which + " where id = " + row;
                        default ->
                            "select 1 from t" + which + " where id = " + row + " for "
                                    + ROW_STRENGTHS[random.nextInt(ROW_STRENGTHS.length)];
                    };
                case INSERT -> "insert into t" + which + " values (" + (100 + row) + ", 'c')";
                case ADVISORY ->
                    "select pg_advisory_" + (random.nextBoolean() ? "xact_" : "") + "lock"
                            + (random.nextInt(3) == 0 ? "_shared" : "")
                            + (which == 0 ? "(" + row + ")" : "(7, " + row + ")");
                case OBJECT ->
                    switch (random.nextInt(3)) {
                        case 0 -> "create table s0.x" + session + " ()";
                        case 1 -> "drop schema s0 cascade";
                        default -> "comment on schema s0 is 'd'";
                    };
            };
        }
    }

    static Mess draw(Random random, String round) {
        Target wanted = Target.draw(random);
        Guard guard = guard(random, wanted);
        int count = 3 + random.nextInt(ACTORS - 2);
        List<Part> parts = new ArrayList<>();
        for (int actor = ACTORS - 1; actor >= ACTORS - count; actor--) {
            parts.add(part(random, actor, wanted, guard, round));
        }
        return new Mess(guard, parts, random.nextInt(4) > 0);
    }

    private static Guard guard(Random random, Target wanted) {
        boolean concurrently = wanted.kind() == Kind.VIRTUALXID;
        List<String> before = new ArrayList<>();
        if (!concurrently && random.nextInt(3) == 0) {
            before.add(Target.draw(random).lock(random, ACTORS));
        }
        Duration closesAfter = random.nextInt(5) == 0 ? millis(random, 5, 80) : Duration.ZERO;
        Duration lockTimeout = closesAfter.isZero()
                ? random.nextInt(4) == 0 ? millis(random, 30, 300) : Duration.ofSeconds(10)
                : closesAfter.plus(millis(random, 1, 60));
        Aim[] aims = {
            Aim.TERMINATE,
            Aim.TERMINATE,
            Aim.TERMINATE,
            Aim.TERMINATE,
            Aim.TERMINATE,
            Aim.CANCEL,
            Aim.CANCEL,
            Aim.CANCEL,
            Aim.REPORT,
            Aim.DRY_RUN
        };
        return new Guard(
                aims[random.nextInt(aims.length)],
                random.nextInt(4) == 0 ? millis(random, 80, 200) : millis(random, 3, 30),
                millis(random, 5, 40),
                random.nextInt(4) == 0 ? millis(random, 60, 400) : Duration.ZERO,
                lockTimeout,
                3 + random.nextInt(6),
                before,
                concurrently
                        ? "create index concurrently proof_index on t" + wanted.which() + " (note)"
                        : wanted.lock(random, ACTORS),
                !concurrently,
                closesAfter);
    }

    private static Part part(Random random, int actor, Target wanted, Guard guard, String round) {
        List<String> prelude = new ArrayList<>();
        boolean inTransaction = random.nextInt(8) > 0;
        if (inTransaction) {
            prelude.add(random.nextInt(10) == 0 ? "begin isolation level serializable" : "begin");
        }
        if (random.nextInt(15) == 0) {
            prelude.add("select pg_advisory_lock(" + (77_431_708_279_161L + actor) + ")"); // Flyway's, of some table
        }
        boolean plain = random.nextInt(5) < 2; // holds one lock, and most likely does
        int locks = plain ? 1 : 1 + random.nextInt(3);
        for (int i = 0; i < locks; i++) {
            if (inTransaction && random.nextInt(6) == 0) {
                prelude.add("savepoint p");
            }
            Target target = plain || random.nextInt(2) == 0 ? wanted : Target.draw(random);
            prelude.add(target.lock(random, actor));
            if (inTransaction && random.nextInt(20) == 0) {
                prelude.add("savepoint q");
                prelude.add(Target.draw(random).lock(random, actor));
                prelude.add("rollback to savepoint q");
            }
        }
        boolean gone = false;
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> prelude.add("select pg_sleep(30)");
            case 3 -> {
                if (inTransaction) {
                    prelude.add("parallel");
                    prelude.add("select max(length(pg_sleep(30)::text)) from t" + wanted.which());
                }
            }
            case 4 -> {
                if (inTransaction && random.nextBoolean()) {
                    prelude.add("prepare transaction 'proof " + round + " " + actor + "'");
                    gone = true;
                }
            }
            case 5 -> {
                if (random.nextInt(3) == 0) {
                    prelude.add("SELECT pg_try_advisory_lock(" + 77_431_708_279_162L + ")"); // as Flyway waits
                }
            }
            default -> {}
        }
        List<String> tail = gone || random.nextInt(3) == 0 ? List.of() : tail(random, actor, wanted);
        long due = guard.after().toMillis();
        return new Part(
                actor,
                APPLICATIONS[random.nextInt(APPLICATIONS.length)],
                random.nextInt(15) == 0,
                random.nextInt(15) == 0,
                prelude,
                tail,
                Duration.ofMillis(Math.max(0, due + random.nextInt(60) - 10)),
                random.nextBoolean(),
                random.nextInt(3) > 0);
    }

    /** Whoever lets go at the wrong moment, and may begin again. */
    private static List<String> tail(Random random, int actor, Target wanted) {
        String again = wanted.lock(random, actor);
        return switch (random.nextInt(9)) {
            case 7, 8 ->
                List.of("commit", "begin", "select 1"); // a lock of the session goes on into another transaction
            case 0 -> List.of("commit");
            case 1 -> List.of("rollback");
            case 2 -> List.of("select pg_advisory_unlock_all()");
            case 3 -> List.of("rollback to savepoint p", again);
            case 4 -> List.of("commit", "begin", again, again);
            case 5 -> List.of("rollback", "begin", again);
            default -> List.of(again);
        };
    }

    private static Duration millis(Random random, int from, int to) {
        return Duration.ofMillis(from + random.nextInt(to - from));
    }
}

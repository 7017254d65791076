// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.say;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Runs a second time, as it was asked to. */
final class Again {
    private static final List<String> SEEN = new ArrayList<>();
    private static Connection blocker;

    static void run() throws Exception {
        Db.run("create table if not exists t (a int)");
        blocker = Db.another();
        blocker.setAutoCommit(false);
        Db.run(blocker, "lock table t");
        String returned = twice(
                1,
                2L,
                3.5,
                "four",
                new long[] {5},
                6.5f,
                true,
                (byte) 8,
                'n',
                (short) 10,
                11L,
                12.5,
                null,
                List.of("x"));
        say("arguments", SEEN);
        say("returned", returned);
        SEEN.clear();
        Db.run(blocker, "lock table t");
        say("static with two words", doubles(1L, 2.5));
        say("its arguments", SEEN);
        blocker.close();
    }

    private static String twice(
            int a,
            long b,
            double c,
            String d,
            long[] e,
            float f,
            boolean g,
            byte h,
            char i,
            short j,
            long k,
            double l,
            Object m,
            List<String> n)
            throws Exception {
        SEEN.add(a + " " + b + " " + c + " " + d + " " + e[0] + " " + f + " " + g + " " + h + " " + i + " " + j + " "
                + k + " " + l + " " + m + " " + n);
        a++;
        b *= 2;
        c /= 2;
        d = null;
        e = new long[1];
        f = 0;
        g = !g;
        h++;
        i++;
        j++;
        k = 0;
        l = 0;
        m = "m";
        n = List.of();
        attempt();
        return a + " " + b + " " + c + " " + d + " " + e[0] + " " + f + " " + g + " " + h + " " + i + " " + j + " " + k
                + " " + l + " " + m + " " + n;
    }

    private static long doubles(long a, double b) throws Exception {
        SEEN.add(a + " " + b);
        a += 7;
        b += 7;
        attempt();
        return a + (long) b;
    }

    private static void attempt() throws Exception {
        if (SEEN.size() == 2) {
            CompletableFuture.runAsync(() -> {
                        try {
                            blocker.rollback();
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .get();
        }
        Db.run("truncate t");
    }
}

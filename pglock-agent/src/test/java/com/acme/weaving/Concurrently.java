// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import java.sql.SQLException;

/** An application that builds indexes concurrently, in a session with a lock_timeout of its own. */
public final class Concurrently {

    private static int indexes;

    private Concurrently() {}

    public static void main(String[] arguments) throws SQLException {
        Db.open(arguments);
        Db.run("set lock_timeout = '5s'");
        Db.run("drop table if exists built");
        Db.run("create table built (id int)");
        Db.run("insert into built values (1)");
        Db.run("create or replace function told(int) returns int immutable language plpgsql as "
                + "$$ begin raise exception 'it waits %', current_setting('lock_timeout'); end $$");
        say("bounded", bounded());
        say("endless", endless());
        say("said by an annotation", annotated());
        say("said by nobody", unsaid());
        say("in between", between());
        say("outside", build());
        say("done", "");
    }

    private static String bounded() {
        return build();
    }

    private static String endless() {
        return build();
    }

    @WithLockTimeout(value = "none", settings = "concurrentLockTimeout=7777ms")
    private static String annotated() {
        return build();
    }

    @WithAdvisoryLock
    private static String unsaid() {
        return build();
    }

    /** What says nothing of it leaves what the one around it says. */
    @WithLockTimeout(value = "none", settings = "concurrentLockTimeout=7777ms")
    private static String between() {
        return unsaid();
    }

    /** What a build waits for a lock, and what the next statement does. */
    private static String build() {
        String built;
        try {
            Db.run("create index concurrently i" + indexes++ + " on built (told(id))");
            built = "nobody was asked";
        } catch (SQLException e) {
            built = String.valueOf(e.getMessage())
                    .lines()
                    .findFirst()
                    .orElseThrow()
                    .replaceFirst(".*it waits ", "");
        }
        return built + " " + lockTimeout();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

import io.pglock.Backend;
import io.pglock.LockInfo;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockQuery;
import io.pglock.PgLockException;
import io.pglock.cli.internal.server.Server;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.stream.Collectors;

/** Who holds an advisory lock, asked on a connection of its own, for whoever waits. What goes wrong with it is not told. Stateless. */
final class InTheWay {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private static final int SHOWN = 3;

    private final Server server;

    InTheWay(Server server) {
        this.server = server;
    }

    /** {@code nightly-report (-866...) is held by pid 4711 (pglock, idle for 42s), connected since 2026-11-26 10:15:02.} */
    String of(LockKey key, boolean shared) {
        try (Connection connection = server.connectToLook()) {
            List<Backend> holders =
                    LockQuery.on(connection).advisory(key).database(connection.getCatalog()).granted().list().stream()
                            .filter(lock -> !shared || lock.mode() == LockMode.EXCLUSIVE)
                            .map(LockInfo::backend)
                            .toList();
            if (!holders.isEmpty()) {
                return key + " is held by "
                        + holders.stream().limit(SHOWN).map(InTheWay::describe).collect(Collectors.joining(", and "))
                        + (holders.size() > SHOWN ? ", and " + (holders.size() - SHOWN) + " more." : ".");
            }
        } catch (SQLException | PgLockException e) {
            return key + " is not acquired yet, and who holds it cannot be seen.";
        }
        return key + " is not acquired yet.";
    }

    private static String describe(Backend holder) {
        return holder.describe()
                + holder.clientAddress().map(address -> " from " + address).orElse("")
                + holder.backendStart()
                        .map(start -> ", connected since " + TIME.format(start))
                        .orElse("");
    }
}

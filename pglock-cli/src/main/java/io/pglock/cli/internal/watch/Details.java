// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.Backend;
import io.pglock.LockInfo;
import io.pglock.LockTree;
import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.QueryContext;
import io.pglock.cli.internal.view.TargetNames;
import io.pglock.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** All that is known of one session, in lines. Stateless. */
final class Details {

    private Details() {}

    static List<String> of(LockTree.Node node, List<LockInfo> locks, TargetNames names, int width) {
        Backend session = node.backend();
        List<String> lines = new ArrayList<>();
        lines.add(session.isPreparedTransaction() ? session.describe() : who(session));
        lines.add(Stream.of(
                        session.state()
                                .map(state -> state
                                        + session.stateAge()
                                                .map(age -> " for " + Text.age(age))
                                                .orElse("")),
                        session.xactAge().map(age -> "transaction open for " + Text.age(age)),
                        session.waitEvent().map(event -> "waits at " + event),
                        session.clientAddress().map(address -> "client " + address))
                .flatMap(known -> known.stream())
                .reduce((one, other) -> one + ", " + other)
                .orElse("state hidden"));
        node.waitingFor().ifPresent(lock -> lines.add("waits for " + lock(lock, names)));
        node.behind().ifPresent(behind -> lines.add("behind " + behind.describe()));
        node.alsoBehind().forEach(other -> lines.add("also behind " + other.describe()));
        locks.stream().filter(LockInfo::granted).forEach(lock -> lines.add("holds " + lock(lock, names)));
        String text = session.query().orElse("");
        QueryContext.of(text).values().forEach((key, value) -> lines.add(key + " = " + value));
        lines.add("");
        lines.addAll(text.lines().toList());
        return lines.stream()
                .flatMap(line -> Page.wrapped(Printable.of(line.replace("\t", "    ")), width).stream())
                .toList();
    }

    private static String who(Backend session) {
        return "pid " + session.pid() + ", "
                + Stream.of(
                                session.application().filter(name -> !name.isBlank()),
                                session.user().map(user -> "role " + user),
                                session.database().map(database -> "database " + database),
                                session.type())
                        .flatMap(known -> known.stream())
                        .reduce((one, other) -> one + ", " + other)
                        .orElse("?");
    }

    private static String lock(LockInfo lock, TargetNames names) {
        return lock.mode().sql() + " on " + names.describe(lock.target())
                + lock.waited()
                        .map(time -> ", for " + Text.age(time) + " so far")
                        .orElse("");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.Backend;
import io.pglock.internal.Text;
import java.util.ArrayList;
import java.util.List;

/** Sessions in a table, as one wants to see them before one signals them. Not API. */
public final class Sessions {

    private static final int SHOWN_QUERY_LENGTH = 80;
    private static final List<String> HEADS = List.of("PID", "USER", "APPLICATION", "STATE", "TRANSACTION", "QUERY");

    private Sessions() {}

    /** With a line of headings. */
    public static List<String> lines(List<Backend> sessions) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADS);
        sessions.forEach(session -> rows.add(row(session)));
        return Aligned.lines(rows);
    }

    private static List<String> row(Backend session) {
        String hidden = session.visible() ? "-" : "(hidden)";
        return List.of(
                Integer.toString(session.pid()),
                session.user().orElse("-"),
                session.application().filter(name -> !name.isBlank()).orElse("-"),
                session.state()
                        .map(state -> state
                                + session.stateAge()
                                        .map(age -> " for " + Text.age(age))
                                        .orElse(""))
                        .orElse(hidden),
                session.xactAge().map(age -> "open for " + Text.age(age)).orElse("-"),
                session.query()
                        .filter(query -> !query.isBlank())
                        .map(query -> Text.shorten(query, SHOWN_QUERY_LENGTH))
                        .orElse(hidden));
    }
}

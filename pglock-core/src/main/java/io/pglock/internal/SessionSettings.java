// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the session of a {@link io.pglock.LockClient} runs with, and what it ran with before. Used by the client's thread only. Not
 * API.
 */
final class SessionSettings {

    /** What the names of these sessions end with. */
    static final String APPLICATION = "pglock";

    private static final String DRIVERS_NAME = "PostgreSQL JDBC Driver";
    private static final int FIRST_THAT_SHOWS_BYTES_IN_HEX = 16;

    private final PgSession session;
    private final Map<String, String> before;

    private SessionSettings(PgSession session, Map<String, String> before) {
        this.session = session;
        this.before = before;
    }

    /** @param name what the operator is to see it as; empty for the application's own */
    static SessionSettings apply(PgSession session, String name) throws SQLException {
        return new SessionSettings(session, setUp(session, name));
    }

    /** As it was found; what is as before is not touched. */
    void restore() throws SQLException {
        Map<String, String> now = current(session, List.copyOf(before.keySet()));
        Map<String, String> changed = new LinkedHashMap<>(before);
        changed.entrySet().removeIf(each -> each.getValue().equals(now.get(each.getKey())));
        if (!changed.isEmpty()) {
            set(session, changed);
        }
    }

    /** @return what was there before */
    private static Map<String, String> setUp(PgSession session, String name) throws SQLException {
        Map<String, String> settings = new LinkedHashMap<>(Sql.lockClientSettings(session.majorVersion()));
        Map<String, String> socket = Sql.socketSettings(session.majorVersion());
        List<String> names = new ArrayList<>(List.of("application_name"));
        names.addAll(settings.keySet());
        names.addAll(socket.keySet());
        Map<String, String> before = current(session, names);
        settings.put(
                "application_name",
                applicationName(name, before.getOrDefault("application_name", ""), session.majorVersion()));
        set(session, settings);
        setSocket(session, socket);
        return before;
    }

    private static String applicationName(String wanted, String before, int majorVersion) {
        String name = !wanted.isEmpty() ? wanted : before.isEmpty() || before.equals(DRIVERS_NAME) ? "" : before;
        if (name.equals(APPLICATION)) {
            return name; // the pglock command says so by itself
        }
        int shownAs = majorVersion < FIRST_THAT_SHOWS_BYTES_IN_HEX ? 1 : 4; // ? or \xc3
        int longest = ServerNames.LONGEST - APPLICATION.length() - 1;
        return (ServerNames.cut(name, StandardCharsets.UTF_8, longest, shownAs) + " " + APPLICATION).strip();
    }

    private static Map<String, String> current(PgSession session, List<String> names) throws SQLException {
        return Pipeline.query(session, Sql.currentSettings(names), Pipeline.NOTHING, row -> {
                    Map<String, String> values = new LinkedHashMap<>();
                    for (int i = 0; i < names.size(); i++) {
                        values.put(names.get(i), row.getString(i + 1));
                    }
                    return values;
                })
                .get(0);
    }

    private static void set(PgSession session, Map<String, String> settings) throws SQLException {
        Pipeline.run(session, Sql.setForSession(settings.keySet()), parameters -> {
            int next = 1;
            for (String value : settings.values()) {
                parameters.setString(next++, value);
            }
        });
    }

    private static void setSocket(PgSession session, Map<String, String> settings) throws SQLException {
        try {
            set(session, settings);
        } catch (SQLException e) {
            if (SqlState.isConnectionLost(e)) {
                throw e;
            }
            for (Map.Entry<String, String> each : settings.entrySet()) {
                setWherePossible(session, each);
            }
        }
    }

    private static void setWherePossible(PgSession session, Map.Entry<String, String> setting) throws SQLException {
        try {
            set(session, Map.of(setting.getKey(), setting.getValue()));
        } catch (SQLException e) {
            if (SqlState.isConnectionLost(e)) {
                throw e;
            }
            // the server's platform does not have it; its own default stays
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * Where critical sections leave their traces: in the database, by its clock, on a connection of their own. The time that is
 * written lies inside the time for which the lock was held, so that what overlaps here has overlapped. As thread-safe as a connection.
 */
final class SectionLog implements AutoCloseable {

    /** A {@code kill} has its time from before the signal: what the session held is nobody's from then on. */
    static final String TABLES = """
            create table section (
                id bigint generated always as identity primary key,
                key int not null,
                shared boolean not null,
                holder text not null,
                pid int not null,
                token bigint,
                entered timestamptz not null,
                departed timestamptz,
                told boolean not null default false);
            create table kill (
                pid int not null,
                holder text not null,
                at timestamptz not null,
                signalled boolean not null,
                done timestamptz not null)""";

    private static final String ENTER = """
            insert into section (key, shared, holder, pid, entered)
            select key, ?, ?, ?, clock_timestamp() from unnest(?::int[]) as key
            returning id""";

    private static final String LEAVE = """
            update section set departed = clock_timestamp(), token = nullif(?, 0) where id = any (?)""";

    /** At the same moment: nobody else may have had it in between. */
    private static final String BECOME_SHARED = """
            with exclusive as (
                update section set departed = clock_timestamp(), token = nullif(?, 0) where id = ? returning *)
            insert into section (key, shared, holder, pid, entered)
            select key, true, holder, pid, departed from exclusive
            returning id""";

    private static final String TOLD = "update section set told = true where id = any (?)";

    private final Connection connection;
    private final PreparedStatement enter;
    private final PreparedStatement leave;
    private final PreparedStatement becomeShared;
    private final PreparedStatement told;

    /** How to connect. */
    record Access(String url, String user, String password) {
        Connection connect() throws SQLException {
            return DriverManager.getConnection(url, user, password);
        }
    }

    SectionLog(Access access) throws SQLException {
        this.connection = access.connect();
        try (Statement statement = connection.createStatement()) {
            statement.execute("set application_name = 'section log'");
            statement.execute("set synchronous_commit = off");
        }
        this.enter = connection.prepareStatement(ENTER);
        this.leave = connection.prepareStatement(LEAVE);
        this.becomeShared = connection.prepareStatement(BECOME_SHARED);
        this.told = connection.prepareStatement(TOLD);
    }

    /**
     * The lock is held.
     *
     * @param pid the session that holds it
     * @return the section, a row for each key
     */
    Long[] enter(List<Integer> keys, boolean shared, String holder, int pid) throws SQLException {
        enter.setBoolean(1, shared);
        enter.setString(2, holder);
        enter.setInt(3, pid);
        enter.setArray(4, connection.createArrayOf("int4", keys.toArray()));
        Long[] ids = new Long[keys.size()];
        try (ResultSet rows = enter.executeQuery()) {
            for (int i = 0; rows.next(); i++) {
                ids[i] = rows.getLong(1);
            }
        }
        return ids;
    }

    /**
     * The lock is still held, and about to be released.
     *
     * @param token 0 where none was taken
     */
    void leave(Long[] ids, long token) throws SQLException {
        leave.setLong(1, token);
        leave.setArray(2, array(ids));
        leave.executeUpdate();
    }

    /** Exclusive until now, shared from now on; both locks are held. */
    Long becomeShared(Long exclusive, long token) throws SQLException {
        becomeShared.setLong(1, token);
        becomeShared.setLong(2, exclusive);
        try (ResultSet row = becomeShared.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Its holder was told that it was lost. */
    void told(Long[] ids) throws SQLException {
        told.setArray(1, array(ids));
        told.executeUpdate();
    }

    private Array array(Long[] ids) throws SQLException {
        return connection.createArrayOf("int8", ids);
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}

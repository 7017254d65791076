// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.ask;
import static com.acme.weaving.Db.say;

import io.pglock.agent.PgLockAgent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import javax.net.SocketFactory;

/** An application whose sockets a factory opens, told beside the URL as Cloud SQL's is, from before it brings the agent. */
public final class Socketed {

    private static final String LOCK = ";advisory=11;advisoryTimeout=5s";

    private Socketed() {}

    /** Leads to one server whatever it is told. */
    public static final class Sockets extends SocketFactory {

        /** The driver's way to make one. */
        @SuppressWarnings("unused")
        public Sockets(String told) {}

        @Override
        public Socket createSocket() throws IOException {
            return getDefault().createSocket();
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return getDefault().createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
            return getDefault().createSocket(host, port, localHost, localPort);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return getDefault().createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress localAddress, int localPort)
                throws IOException {
            return getDefault().createSocket(host, port, localAddress, localPort);
        }
    }

    public static void main(String[] arguments) throws SQLException {
        String url = arguments[0];
        Connection before = open(url, "one", arguments);
        PgLockAgent.attach("prioritize=off;target=com.acme.weaving.Socketed#outer" + LOCK
                + ";target=com.acme.weaving.Socketed#inner" + LOCK);
        open(url, "one", arguments).close();
        Connection since = open(url + (url.contains("?") ? "&" : "?") + "ApplicationName=batch", "one", arguments);
        say("before around since", report(before, since));
        say("since around before", report(since, before));
        open(url, "two", arguments).close();
        say("before, which may be on another one", report(before, since));
        say("done", "");
    }

    private static Connection open(String url, String told, String... means) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", means[1]);
        properties.setProperty("password", means[2]);
        properties.setProperty("socketFactory", Sockets.class.getName());
        properties.setProperty("socketFactoryArg", told);
        return DriverManager.getConnection(url, properties);
    }

    private static String report(Connection one, Connection another) {
        try {
            return outer(one, another);
        } catch (SQLException | RuntimeException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String outer(Connection own, Connection inners) throws SQLException {
        Db.run(own, "select from pg_class limit 1");
        return inner(inners);
    }

    private static String inner(Connection own) throws SQLException {
        return ask(own, "select count(*) from pg_locks where locktype = 'advisory' and objid = 11");
    }
}

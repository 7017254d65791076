// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A proxy on the loopback interface, between a client and PostgreSQL, that can behave badly: as a pooler, another database, a
 * slow or dead network, a server that is gone, an address that moves to another server.
 *
 * {@snippet :
 * try (TcpProxy proxy = TcpProxy.to(server.host(), server.port()).delay(Duration.ofMillis(5));
 *         Connection distant = proxy.dataSource(database).getConnection()) {
 *     // every round trip takes 10 ms more
 *     proxy.cutSilently(); // no answer any more, and no error either
 *     proxy.resume();
 *     proxy.refuse(); // "Connection refused", and distant is reset
 *     proxy.redirect(standby.host(), standby.port()).accept(); // failover by a moving address
 * }
 * }
 *
 * <p>This class is thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
    private static final int BACKLOG = 200;

    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Network network = new Network();
    private final SessionStart sessionStart = new SessionStart();
    private final Object listening = new Object();
    private volatile Target target;
    private ServerSocket listener;
    private Thread listeningThread;
    private @Nullable Socket placeholder;
    private boolean closed;

    private TcpProxy(Target target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        this.port = listener.getLocalPort();
        ServerSocket first = listener;
        this.listeningThread = thread("accept", () -> listen(first));
    }

    /** Starts a proxy in front of a server. */
    public static TcpProxy to(String host, int port) {
        try {
            var proxy = new TcpProxy(new Target(host, port));
            proxy.listeningThread.start();
            return proxy;
        } catch (IOException e) {
            throw new IllegalStateException("a proxy to " + host + ":" + port + ": " + e.getMessage(), e);
        }
    }

    /**
     * From the next connection on, tells clients another process id than that of their backend, as a pooler does. Cancelling
     * works all the same, as it does there.
     */
    public TcpProxy rewriteBackendKey() {
        sessionStart.rewriteBackendKey();
        return this;
    }

    /**
     * From the next connection on, reports this value of a parameter when a session begins, in place of the server's or on top of
     * it: as another database does that speaks PostgreSQL's protocol. {@code SHOW} still gives the true one.
     */
    public TcpProxy reportParameter(String name, String value) {
        sessionStart.reportParameter(name, value);
        return this;
    }

    /** From the next connection on, leads to another server. Connections that are there stay where they are. */
    public TcpProxy redirect(String toHost, int toPort) {
        target = new Target(toHost, toPort);
        return this;
    }

    /**
     * From now on, delivers what is sent this much later, in both directions: a round trip takes twice as long more. What is
     * under way at the same time is delayed at the same time, so that no bandwidth is lost. Connecting to the proxy itself
     * takes no longer.
     *
     * @param eachWay {@link Duration#ZERO} = at once
     */
    public TcpProxy delay(Duration eachWay) {
        network.delay(eachWay);
        return this;
    }

    /** The port it listens on. */
    public int port() {
        return port;
    }

    /** A plain source of connections to that database through this proxy, without SSL. */
    public DataSource dataSource(Database database) {
        return database.through(InetAddress.getLoopbackAddress().getHostAddress(), port)
                .dataSource();
    }

    /** Forwards nothing more in either direction and tells nobody: a dead network. */
    public void cutSilently() {
        network.cut();
    }

    /** Forwards again, beginning with what was held back. */
    public void resume() {
        network.resume();
    }

    /** Resets every connection there is. New ones are welcome. */
    public void reset() {
        sockets.forEach(this::reset);
        resume();
    }

    /**
     * The server is gone: resets every connection there is, and lets the operating system refuse new ones until
     * {@link #accept()}. Does nothing if they are refused already.
     */
    public void refuse() {
        try {
            synchronized (listening) {
                if (placeholder == null && !closed) {
                    listener.close();
                    // Until it has returned from the system call, the kernel goes on listening.
                    listeningThread.join();
                    placeholder = new Socket();
                    // Bound, the port stays ours. It refuses because nobody listens.
                    placeholder.setReuseAddress(true);
                    placeholder.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("refusing on port " + port + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while refusing on port " + port, e);
        }
        reset();
    }

    /** Takes connections again after {@link #refuse()}, on the same port. */
    public void accept() {
        try {
            synchronized (listening) {
                if (placeholder != null && !closed) {
                    placeholder.close();
                    placeholder = null;
                    var again = new ServerSocket();
                    again.setReuseAddress(true);
                    again.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
                    listener = again;
                    listeningThread = thread("accept", () -> listen(again));
                    listeningThread.start();
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("listening on port " + port + " again: " + e.getMessage(), e);
        }
    }

    /** Ends every connection and listens no more. */
    @Override
    public void close() {
        try {
            synchronized (listening) {
                closed = true;
                listener.close();
                if (placeholder != null) {
                    placeholder.close();
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            reset();
        }
    }

    private void listen(ServerSocket own) throws IOException {
        while (true) {
            Socket client = own.accept();
            sockets.add(client);
            if (own.isClosed()) {
                reset(client); // Nobody has seen it yet who could have.
            }
            thread("connect", () -> connect(client)).start();
        }
    }

    private void connect(Socket client) throws IOException {
        Socket server;
        try {
            server = target.connect();
        } catch (IOException e) {
            close(client);
            throw e;
        }
        sockets.add(server);
        try {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            close(client);
            close(server);
            throw e;
        }
        thread("to-client", () -> pump(server, client, sessionStart::toClient)).start();
        pump(client, server, sessionStart::toServer);
    }

    private void pump(Socket from, Socket to, Beginning beginning) throws IOException {
        try (var wire = new Wire(to.getOutputStream(), network)) {
            var in = new DataInputStream(from.getInputStream());
            beginning.pass(in, wire);
            copy(in, wire);
        } finally {
            close(from);
            close(to);
        }
    }

    private static void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[16_384];
        for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
            out.write(buffer, 0, length);
        }
    }

    private void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // It is closed already, which is what was wanted.
        }
        close(socket);
    }

    private void close(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing more to be done with it.
        }
    }

    private static Thread thread(String name, Work work) {
        var thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One side has hung up, and so has the proxy.
                    }
                },
                "testkit-proxy-" + name);
        thread.setDaemon(true);
        return thread;
    }

    private record Target(String host, int port) {
        Socket connect() throws IOException {
            return new Socket(host, port);
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private interface Beginning {
        void pass(DataInputStream in, OutputStream out) throws IOException;
    }
}

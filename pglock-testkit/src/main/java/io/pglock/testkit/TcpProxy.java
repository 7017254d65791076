// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;

/**
 * A proxy on the loopback interface, between a client and PostgreSQL, that can behave badly.
 *
 * {@snippet :
 * try (TcpProxy proxy = TcpProxy.to(server.host(), server.port()).rewriteBackendKey();
 *         Connection pooled = proxy.dataSource(database).getConnection()) {
 *     // getBackendPID() is not pg_backend_pid(): as behind a transaction pooler
 * }
 * }
 *
 * <p>This class is thread-safe. What it reads along is in "Message Formats" of the PostgreSQL manual.
 */
public final class TcpProxy implements AutoCloseable {
    private static final int CANCEL_REQUEST = 80877102;

    /** No process id has this bit. */
    private static final int PID_BIT = 0x4000_0000;

    private final String host;
    private final int targetPort;
    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition resumed = lock.newCondition();
    private final Map<String, String> parameters = new ConcurrentHashMap<>();
    private volatile boolean otherKey;
    private boolean cut;

    private TcpProxy(String host, int targetPort) throws IOException {
        this.host = host;
        this.targetPort = targetPort;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** Starts a proxy in front of a server. */
    public static TcpProxy to(String host, int port) {
        try {
            var proxy = new TcpProxy(host, port);
            start("accept", proxy::accept);
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
        otherKey = true;
        return this;
    }

    /**
     * From the next connection on, reports this value of a parameter when a session begins, in place of the server's or on top of
     * it: as another database does that speaks PostgreSQL's protocol. {@code SHOW} still gives the true one.
     */
    public TcpProxy reportParameter(String name, String value) {
        parameters.put(name, value);
        return this;
    }

    /** The port it listens on. */
    public int port() {
        return listener.getLocalPort();
    }

    /** A plain source of connections to that database through this proxy, without SSL. */
    public DataSource dataSource(Database database) {
        return database.through(listener.getInetAddress().getHostAddress(), port())
                .dataSource();
    }

    /** Forwards nothing more in either direction and tells nobody: a dead network. */
    public void cutSilently() {
        lock.lock();
        try {
            cut = true;
        } finally {
            lock.unlock();
        }
    }

    /** Forwards again, beginning with what was held back. */
    public void resume() {
        lock.lock();
        try {
            cut = false;
            resumed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Resets every connection there is. New ones are welcome. */
    public void reset() {
        for (Socket socket : sockets) {
            try {
                socket.setSoLinger(true, 0);
            } catch (IOException e) {
                // It is closed already, which is what was wanted.
            }
            close(socket);
        }
        resume();
    }

    /** Ends every connection and listens no more. */
    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            reset();
        }
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            sockets.add(client);
            start("connect", () -> connect(client));
        }
    }

    private void connect(Socket client) throws IOException {
        Socket server;
        try {
            server = new Socket(host, targetPort);
        } catch (IOException e) {
            close(client);
            throw e;
        }
        sockets.add(server);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        start("to-client", () -> pump(server, client, this::rewriteStartup));
        pump(client, server, this::rewriteCancel);
    }

    private void pump(Socket from, Socket to, Rewriting beginning) throws IOException {
        try {
            var in = new DataInputStream(from.getInputStream());
            var out = new DataOutputStream(to.getOutputStream());
            if (otherKey || !parameters.isEmpty()) {
                beginning.apply(in, out);
            }
            copy(in, out);
        } finally {
            close(from);
            close(to);
        }
    }

    private void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[16_384];
        for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
            awaitResumed();
            out.write(buffer, 0, length);
        }
    }

    private void awaitResumed() {
        lock.lock();
        try {
            while (cut) {
                resumed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Server to client, up to the first ReadyForQuery: another process id in BackendKeyData, other ParameterStatus. */
    private void rewriteStartup(DataInputStream in, DataOutputStream out) throws IOException {
        Set<String> missing = new HashSet<>(parameters.keySet());
        byte type;
        do {
            type = in.readByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - 4);
            if (type == 'K' && otherKey) {
                flipPid(body, 0);
            } else if (type == 'S' && parameters.containsKey(parameterName(body))) {
                missing.remove(parameterName(body));
                body = parameterStatus(parameterName(body));
            } else if (type == 'Z') {
                for (String name : missing) {
                    write(out, (byte) 'S', parameterStatus(name));
                }
            }
            write(out, type, body);
            out.flush();
        } while (type != 'Z');
    }

    private static void write(DataOutputStream out, byte type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(body.length + 4);
        out.write(body);
    }

    private static String parameterName(byte[] body) {
        String nameAndValue = new String(body, StandardCharsets.UTF_8);
        return nameAndValue.substring(0, nameAndValue.indexOf('\0'));
    }

    private byte[] parameterStatus(String name) {
        return (name + '\0' + parameters.get(name) + '\0').getBytes(StandardCharsets.UTF_8);
    }

    /** Client to server, the first message: the true process id in CancelRequest. */
    private void rewriteCancel(DataInputStream in, DataOutputStream out) throws IOException {
        int length = in.readInt();
        byte[] body = in.readNBytes(length - 4);
        int code = (body[0] & 0xff) << 24 | (body[1] & 0xff) << 16 | (body[2] & 0xff) << 8 | (body[3] & 0xff);
        if (code == CANCEL_REQUEST && otherKey) {
            flipPid(body, 4);
        }
        out.writeInt(length);
        out.write(body);
        out.flush();
    }

    private static void flipPid(byte[] body, int offset) {
        body[offset] ^= (byte) (PID_BIT >>> 24);
    }

    private void close(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing more to be done with it.
        }
    }

    private static void start(String name, Work work) {
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
        thread.start();
    }

    private interface Work {
        void run() throws IOException;
    }

    private interface Rewriting {
        void apply(DataInputStream in, DataOutputStream out) throws IOException;
    }
}

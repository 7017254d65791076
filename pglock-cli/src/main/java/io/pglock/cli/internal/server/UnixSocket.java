// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * A Unix socket as the driver wants one: the JDK has them as channels only, which know no timeouts. What concerns TCP does nothing.
 * One thread reads and writes; any may close.
 */
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // whoever closes it must not wait for whoever reads
final class UnixSocket extends Socket {

    private final Path path;
    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;
    private volatile int timeoutMillis;
    private boolean keepAlive;

    UnixSocket(Path path) throws IOException {
        this.path = path;
        this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        this.readable = Selector.open();
        this.writable = Selector.open();
    }

    /** A local connection is made at once or not at all. */
    void connect() throws IOException {
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
            channel.configureBlocking(false);
            channel.register(readable, SelectionKey.OP_READ);
            channel.register(writable, SelectionKey.OP_WRITE);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    @Override
    public void connect(SocketAddress ignored) throws IOException {
        connect();
    }

    @Override
    public void connect(SocketAddress ignored, int timeout) throws IOException {
        connect();
    }

    @Override
    public boolean isConnected() {
        return channel.isConnected();
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        channel.close();
        readable.close(); // wakes up who waits
        writable.close();
    }

    @Override
    public InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return receive(ByteBuffer.wrap(bytes, offset, length));
            }
        };
    }

    @Override
    public OutputStream getOutputStream() {
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                send(ByteBuffer.wrap(bytes, offset, length));
            }
        };
    }

    private int receive(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
        try {
            for (int read = channel.read(into); ; read = channel.read(into)) {
                if (read != 0) {
                    return read;
                }
                await(readable, deadline);
            }
        } catch (ClosedChannelException e) {
            throw closed(e);
        }
    }

    private void send(ByteBuffer from) throws IOException {
        try {
            while (from.hasRemaining()) {
                if (channel.write(from) == 0) {
                    await(writable, Long.MAX_VALUE);
                }
            }
        } catch (ClosedChannelException e) {
            throw closed(e);
        }
    }

    private void await(Selector selector, long deadline) throws IOException {
        if (timeoutMillis == 0 || deadline == Long.MAX_VALUE) {
            selector.select();
        } else {
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                throw new SocketTimeoutException("Read timed out");
            }
            selector.select(millis);
        }
        if (!selector.isOpen()) {
            throw new SocketException("Socket closed");
        }
        selector.selectedKeys().clear();
    }

    private static SocketException closed(IOException cause) {
        SocketException closed = new SocketException("Socket closed");
        closed.initCause(cause);
        return closed;
    }

    @Override
    public void setSoTimeout(int millis) {
        timeoutMillis = millis;
    }

    @Override
    public int getSoTimeout() {
        return timeoutMillis;
    }

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public boolean getTcpNoDelay() {
        return true;
    }

    @Override
    public void setKeepAlive(boolean on) {
        keepAlive = on;
    }

    @Override
    public boolean getKeepAlive() {
        return keepAlive;
    }

    @Override
    public void setSoLinger(boolean on, int seconds) {}

    @Override
    public String toString() {
        return path.toString();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketOption;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Gives the driver sockets that, where they are kept alive, are so within a minute of silence: a system's two hours are longer than what
 * firewalls and balancers remember. The driver makes it, by name. Not API.
 */
public final class KeptAliveFactory extends SocketFactory {

    private static final String IDLE = "TCP_KEEPIDLE"; // of the module jdk.net, which a small Java runtime does without
    private static final int IDLE_SECONDS = 60;

    @Override
    @SuppressWarnings("unchecked")
    public Socket createSocket() throws IOException {
        Socket socket = new Socket();
        for (SocketOption<?> option : socket.supportedOptions()) {
            if (option.name().equals(IDLE)) {
                socket.setOption((SocketOption<Integer>) option, IDLE_SECONDS);
            }
        }
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connected(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connected(new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connected(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) throws IOException {
        return connected(new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    /** @param local any, where it is null */
    private Socket connected(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        Socket socket = createSocket();
        socket.bind(local);
        socket.connect(address);
        return socket;
    }
}

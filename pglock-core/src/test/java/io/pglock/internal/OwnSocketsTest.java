// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@EnabledOnOs(OS.LINUX)
class OwnSocketsTest {

    private final String before = System.getProperty("pglock.signalOwnJvm", "false");

    @BeforeEach
    void likeAnyApplication() {
        System.clearProperty("pglock.signalOwnJvm");
    }

    @AfterEach
    void likeTheOtherTests() {
        System.setProperty("pglock.signalOwnJvm", before);
    }

    /** As PostgreSQL writes it. */
    private static String client(InetAddress address, int port) {
        String host = address.getHostAddress().replaceFirst("%.*", "");
        return (address instanceof Inet6Address ? "[::1]" : host) + ":" + port;
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void aConnectionOfThisProcessIsOursWhileItIsOpen(String loopback) throws IOException {
        InetAddress address = InetAddress.getByName(loopback);
        try (ServerSocket server = listening(address)) {
            String client;
            try (Socket socket = new Socket(address, server.getLocalPort());
                    Socket accepted = server.accept()) {
                client = client(address, socket.getLocalPort());
                assertThat(OwnSockets.contains(client)).isTrue();
                assertThat(OwnSockets.contains(client("127.0.0.2", socket.getLocalPort())))
                        .isFalse();
                assertThat(accepted.getPort()).isEqualTo(socket.getLocalPort());
            }
            assertThat(OwnSockets.contains(client)).isFalse();
        }
    }

    private static ServerSocket listening(InetAddress address) throws IOException {
        try {
            return new ServerSocket(0, 1, address);
        } catch (SocketException e) {
            Assumptions.abort("needs " + address + ": " + e.getMessage());
            throw e;
        }
    }

    private static String client(String host, int port) {
        return host + ":" + port;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "-1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:99999999999", "[::1]:x", ":1"})
    void whatIsNoAddressIsNotOurs(String client) {
        assertThat(OwnSockets.contains(client)).isFalse();
    }

    @Test
    void withTheSwitchNobodyIsOurs() throws IOException {
        System.setProperty("pglock.signalOwnJvm", "true");
        InetAddress address = InetAddress.getLoopbackAddress();
        try (ServerSocket server = new ServerSocket(0, 1, address);
                Socket socket = new Socket(address, server.getLocalPort())) {
            assertThat(OwnSockets.contains(client(address, socket.getLocalPort())))
                    .isFalse();
        }
    }
}

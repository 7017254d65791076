// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.internal.OwnSockets.Answer;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
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
                assertThat(OwnSockets.contains(client)).isEqualTo(Answer.OURS);
                assertThat(OwnSockets.contains(client("127.0.0.2", socket.getLocalPort())))
                        .isEqualTo(Answer.NOT_OURS);
                assertThat(accepted.getPort()).isEqualTo(socket.getLocalPort());
            }
            assertThat(OwnSockets.contains(client)).isEqualTo(Answer.NOT_OURS);
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
        assertThat(OwnSockets.contains(client)).isEqualTo(Answer.NOT_OURS);
    }

    /** A process that has run out of file descriptors must not take its own pool for strangers. */
    @Test
    void whatCannotBeReadIsNotKnown(@TempDir Path folder) throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        assertThat(OwnSockets.contains("127.0.0.1:5", descriptors, List.of(folder)))
                .as("a table that cannot be read")
                .isEqualTo(Answer.UNKNOWN);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String client = client("127.0.0.1", server.getLocalPort());
            List<Path> tables = List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));
            assertThat(OwnSockets.contains(client, descriptors, tables)).isEqualTo(Answer.OURS);
            assertThat(OwnSockets.contains(client, folder, tables)).isEqualTo(Answer.NOT_OURS);
        }
    }

    @Test
    void withTheSwitchNobodyIsOurs() throws IOException {
        System.setProperty("pglock.signalOwnJvm", "true");
        InetAddress address = InetAddress.getLoopbackAddress();
        try (ServerSocket server = new ServerSocket(0, 1, address);
                Socket socket = new Socket(address, server.getLocalPort())) {
            assertThat(OwnSockets.contains(client(address, socket.getLocalPort())))
                    .isEqualTo(Answer.NOT_OURS);
        }
    }
}

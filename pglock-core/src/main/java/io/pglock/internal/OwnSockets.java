// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the client of a session is this very process: PostgreSQL knows its address and port, and Linux which sockets are
 * ours ({@code /proc/self}). Elsewhere, through a Unix socket and behind an address translation nothing is known. Stateless.
 * Not API.
 *
 * <p>With {@code -Dpglock.signalOwnJvm=true} nobody is taken for this process: for tests in which one JVM plays both parts.
 */
final class OwnSockets {

    private static final String SWITCH = "pglock.signalOwnJvm";
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final List<Path> TABLES = List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));

    /** The columns of {@code /proc/net/tcp}. */
    private static final int LOCAL_ADDRESS = 1;

    private static final int INODE = 9;

    private OwnSockets() {}

    /** Whether it is this process. */
    enum Answer {
        OURS,
        NOT_OURS,
        /** It could not be looked up, for want of a file descriptor perhaps; it may be known the next time. */
        UNKNOWN
    }

    /** @param client as {@link io.pglock.Backend#clientAddress()} has it: {@code 10.0.0.7:51234}, {@code [::1]:51234} */
    static Answer contains(String client) {
        return Boolean.getBoolean(SWITCH) ? Answer.NOT_OURS : contains(client, DESCRIPTORS, TABLES);
    }

    static Answer contains(String client, Path descriptors, List<Path> tables) {
        int colon = client.lastIndexOf(':');
        if (colon < 0 || !Files.isDirectory(descriptors)) {
            return Answer.NOT_OURS;
        }
        try {
            String port = String.format("%04X", Integer.parseInt(client.substring(colon + 1)));
            InetAddress address =
                    InetAddress.getByName(client.substring(0, colon)); // a literal: nobody is asked for a name
            Set<String> inodes = inodes(address, port, tables);
            return !inodes.isEmpty() && isOpen(inodes, descriptors) ? Answer.OURS : Answer.NOT_OURS;
        } catch (UnknownHostException | IllegalArgumentException e) {
            return Answer.NOT_OURS; // no address
        } catch (IOException | DirectoryIteratorException e) {
            return Answer.UNKNOWN;
        }
    }

    private static Set<String> inodes(InetAddress address, String port, List<Path> tables) throws IOException {
        Set<String> inodes = new HashSet<>();
        for (Path table : tables) {
            if (!Files.isReadable(table)) {
                continue;
            }
            for (String line : Files.readAllLines(table)) {
                String[] columns = line.strip().split("\\s+", -1);
                if (columns.length > INODE
                        && columns[LOCAL_ADDRESS].endsWith(":" + port)
                        && address(columns[LOCAL_ADDRESS])
                                .filter(address::equals)
                                .isPresent()) {
                    inodes.add(columns[INODE]);
                }
            }
        }
        return inodes;
    }

    /** Written in hexadecimal, each group of four bytes as this machine stores it: on most of them the last one first. */
    private static Optional<InetAddress> address(String written) throws UnknownHostException {
        int length = written.indexOf(':') / 2;
        if (length != 4 && length != 16) {
            return Optional.empty();
        }
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            int at = (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? i / 4 * 4 + 3 - i % 4 : i) * 2;
            bytes[i] = (byte) Integer.parseInt(written.substring(at, at + 2), 16);
        }
        return Optional.of(InetAddress.getByAddress(bytes));
    }

    private static boolean isOpen(Set<String> inodes, Path descriptors) throws IOException {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            for (Path descriptor : open) {
                String target = target(descriptor);
                if (target.startsWith("socket:[")
                        && inodes.contains(target.substring("socket:[".length(), target.length() - 1))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed since
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.postgresql.jdbcurlresolver.PgPassParser;

/**
 * Where passwords are looked up: {@code ~/.pgpass}, {@code PGPASSFILE}, or what a URL or a service file names. pgjdbc reads it; here
 * is what it lacks: it knows no parameter {@code passfile}, reads a file that everybody can read, which libpq refuses, and looks up
 * several hosts as if they were one. Stateless.
 *
 * @see <a href="https://www.postgresql.org/docs/current/libpq-pgpass.html">The Password File</a>
 */
final class PasswordFile {

    /** What pgjdbc asks first. */
    private static final String PROPERTY = "org.postgresql.pgpassfile";

    private static final String NONE = "/dev/null";

    private static final Set<PosixFilePermission> OTHERS = EnumSet.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.GROUP_EXECUTE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE,
            PosixFilePermission.OTHERS_EXECUTE);

    private PasswordFile() {}

    /**
     * Makes the driver use this one.
     *
     * @return why it does not, if so
     */
    static Optional<String> use(Path file) {
        if (isOthersToo(file)) {
            System.setProperty(PROPERTY, NONE);
            return Optional.of(file + " is not read: others can read it too. chmod 600 " + file);
        }
        System.setProperty(PROPERTY, file.toString());
        return Optional.empty();
    }

    /**
     * The password where the driver would look for another than libpq, and must not look: for several hosts the first one
     * that the file has, as the driver tells all of them the same; for the folder of a socket that of the folder.
     */
    static Optional<String> find(Place place) {
        Optional<String> password = IntStream.range(0, place.hosts().size())
                .mapToObj(i -> Optional.ofNullable(PgPassParser.getPassword(
                        place.hosts().get(i),
                        Integer.toString(place.ports().get(i)),
                        place.database().value(),
                        place.user().value())))
                .flatMap(Optional::stream)
                .findFirst();
        if (password.isEmpty()) {
            System.setProperty(PROPERTY, NONE); // with a password it does not look, for these
        }
        return password;
    }

    private static boolean isOthersToo(Path file) {
        try {
            return Files.isRegularFile(file)
                    && Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}

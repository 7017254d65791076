// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import io.pglock.cli.internal.Address;
import io.pglock.cli.internal.Stop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads a section of {@code pg_service.conf}, where libpq looks for it: {@code PGSERVICEFILE} or {@code ~/.pg_service.conf}, then
 * {@code PGSYSCONFDIR}. pgjdbc reads such files too, but takes a service that is not there, and a parameter that it calls by another
 * name, for nothing at all. Stateless.
 *
 * @see <a href="https://www.postgresql.org/docs/current/libpq-pgservice.html">The Connection Service File</a>
 */
final class ServiceFile {

    private ServiceFile() {}

    /** @param from who asks for it: {@code --service}, {@code PGSERVICE} */
    static Parameters read(String service, String from, Map<String, String> environment) {
        if (Address.isUrl(service)) {
            throw Stop.usage(from
                    + ": that is a URL, and no name of a service. Write --url postgresql://user@host:port/database.");
        }
        List<Path> files = files(environment);
        return files.stream()
                .flatMap(file -> readIn(file, service).stream())
                .findFirst()
                .orElseThrow(() -> Stop.usage(from + ": there is no service " + service + ". Looked for a section ["
                        + service + "] in "
                        + String.join(", ", files.stream().map(Path::toString).toList()) + "."));
    }

    private static List<Path> files(Map<String, String> environment) {
        Path own = Optional.ofNullable(environment.get("PGSERVICEFILE"))
                .filter(name -> !name.isEmpty())
                .map(Path::of)
                .orElseGet(() -> Home.of(environment).resolve(".pg_service.conf"));
        Optional<Path> everybodys = Optional.ofNullable(environment.get("PGSYSCONFDIR"))
                .filter(name -> !name.isEmpty())
                .map(folder -> Path.of(folder, "pg_service.conf"));
        return Stream.concat(Stream.of(own), everybodys.stream()).toList();
    }

    private static Optional<Parameters> readIn(Path file, String service) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw Stop.usage(file + ": cannot be read: " + e.getMessage());
        }
        Parameters read = new Parameters();
        boolean found = false;
        boolean inside = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.startsWith("[")) {
                if (found) {
                    break; // the first one of that name, as libpq has it
                }
                inside = line.equals("[" + service + "]");
                found = inside;
            } else if (inside && !line.isEmpty() && !line.startsWith("#")) {
                readLine(line, file + " line " + (i + 1), "service " + service, read);
            }
        }
        return found ? Optional.of(read) : Optional.empty();
    }

    private static void readLine(String line, String where, String from, Parameters read) {
        int equals = line.indexOf('=');
        if (equals <= 0) {
            throw Stop.usage(where + ": not a line of a service file, which reads parameter=value.");
        }
        String name = line.substring(0, equals).strip();
        Parameter parameter = Parameter.named(name)
                .filter(known -> known != Parameter.SERVICE)
                .orElseThrow(() -> Stop.usage(where + ": there is no parameter " + name + "."));
        read.add(parameter, line.substring(equals + 1).strip(), from);
    }
}

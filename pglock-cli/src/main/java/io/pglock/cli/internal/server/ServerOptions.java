// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which server, as far as the command line says it. Not API. */
public final class ServerOptions {

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The server: jdbc:postgresql://host:port/database or postgresql://user@host:port/database.")
    @Nullable String url;

    @Option(names = "--host", paramLabel = "HOST", description = "Its host, or the folder of its socket. PGHOST")
    @Nullable String host;

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "Its port. PGPORT")
    @Nullable Integer port;

    @Option(
            names = {"-U", "--user"},
            paramLabel = "ROLE",
            description = "As whom. PGUSER")
    @Nullable String user;

    @Option(
            names = {"-d", "--database"},
            paramLabel = "DATABASE",
            description = "Which database. PGDATABASE")
    @Nullable String database;

    @Option(names = "--service", paramLabel = "NAME", description = "A section of pg_service.conf. PGSERVICE")
    @Nullable String service;

    /** What the command line and the environment say together. */
    public Server server() {
        return Server.of(this, System.getenv());
    }
}

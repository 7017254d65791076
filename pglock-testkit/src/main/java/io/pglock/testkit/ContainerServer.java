// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/** Starts an image with Testcontainers, with the same settings as the embedded server. */
final class ContainerServer {
    private ContainerServer() {}

    // The container outlives this method on purpose: the server that is returned stops it.
    @SuppressWarnings("resource")
    static PostgresServer start(String image) {
        var container = new PostgreSQLContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("postgres"));
        container.setCommand(
                "postgres",
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
                "-c",
                "max_connections=400",
                "-c",
                "max_prepared_transactions=64",
                "-c",
                "max_locks_per_transaction=256");
        container.start();
        Runtime.getRuntime().addShutdownHook(new Thread(container::stop, "testkit-container-stop"));
        var endpoint = new Endpoint(
                container.getHost(),
                container.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT),
                "",
                container.getUsername(),
                container.getPassword(),
                container.getDatabaseName());
        return new PostgresServer(endpoint, container::stop);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import io.pglock.cli.internal.server.Parameters.Given;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Where a connection leads, as whom, and who says so. Immutable. */
record Place(
        List<String> hosts,
        List<Integer> ports,
        Given host,
        Given port,
        Given database,
        Given user,
        Optional<Given> password) {

    /** {@code host from PGHOST, port by default, database from --database, user from PGUSER}. */
    String origins() {
        return "host " + host.origin() + ", port " + port.origin() + ", database " + database.origin() + ", user "
                + user.origin();
    }

    /** Of several hosts this one. */
    Place at(String host, int port) {
        return new Place(List.of(host), List.of(port), this.host, this.port, database, user, password);
    }

    /** {@code db1:5432, database shop, as ann}. */
    @Override
    public String toString() {
        String addresses = IntStream.range(0, hosts.size())
                .mapToObj(i -> hosts.get(i) + ":" + ports.get(i))
                .collect(Collectors.joining(" and "));
        return addresses + ", database " + database.value() + ", as " + user.value();
    }
}

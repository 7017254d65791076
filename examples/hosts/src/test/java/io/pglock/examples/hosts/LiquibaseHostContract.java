// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.List;

/** What pglock does in every host of Liquibase. */
abstract class LiquibaseHostContract extends HostContract {

    /** Without its SQLSTATE. */
    @Override
    List<String> ownError() {
        return List.of("canceling statement due to lock timeout");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A program that runs Flyway or Liquibase, with pglock inside it, and one of the ways in which settings are written there. */
@FunctionalInterface
interface Host {

    /**
     * The command that migrates, yet to be started.
     *
     * @param database the one to migrate: schema {@code public}, which is empty
     * @param folder the working directory, this run's alone: Flyway's migrations are in its {@code sql}, Liquibase's in its
     *     {@code changelog.sql}, and whatever file the host needs besides is written next to those
     * @param settings of pglock, by the keys of its manual and without any prefix
     */
    ProcessBuilder migrate(Database database, Path folder, Map<String, String> settings) throws IOException;
}

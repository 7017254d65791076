// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real Maven, offline: what this build has downloaded is there. */
final class MavenProcess {

    private MavenProcess() {}

    /** @param goalAndProperties what to do, in the folder that it is started in */
    static ProcessBuilder of(String... goalAndProperties) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("pglock.hosts.maven"), "bin", "mvn").toString(),
                "--batch-mode",
                "--settings=" + Path.of("src/it/settings.xml").toAbsolutePath(),
                "--offline",
                // so that a repository of files counts as offline
                "-Daether.offline.protocols=file",
                "-Dpglock.hosts.resolved=" + System.getProperty("pglock.hosts.resolved"),
                "-Dmaven.repo.local=" + System.getProperty("pglock.hosts.repository")));
        command.addAll(List.of(goalAndProperties));
        ProcessBuilder maven = new ProcessBuilder(command);
        maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return maven;
    }
}

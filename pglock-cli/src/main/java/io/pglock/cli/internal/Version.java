// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/** The version that the jar's manifest says. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"pglock " + Objects.requireNonNullElse(version, "(not packaged)")};
    }
}

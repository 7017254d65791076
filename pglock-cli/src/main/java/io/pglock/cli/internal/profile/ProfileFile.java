// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import java.util.Map;

/**
 * What a {@code pglock.toml} says. Immutable.
 *
 * @param name how the file is called in messages
 * @param defaults its table {@code [defaults]}, by the names of the options
 * @param profiles its tables {@code [profiles.NAME]}
 */
record ProfileFile(String name, Map<String, Setting> defaults, Map<String, Map<String, Setting>> profiles) {

    ProfileFile {
        defaults = Map.copyOf(defaults);
        profiles = Map.copyOf(profiles);
    }
}

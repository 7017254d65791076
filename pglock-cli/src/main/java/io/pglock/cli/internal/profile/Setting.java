// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import java.util.List;

/**
 * What a file says of one option. Immutable.
 *
 * @param values one, or the members of a list
 * @param flag whether it is true or false, without quotes
 * @param place the file and the line
 */
record Setting(List<String> values, boolean flag, String place) {

    Setting {
        values = List.copyOf(values);
    }
}

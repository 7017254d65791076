// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.cli.internal.Typed;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** What {@code pglock.toml} says where sessions are signalled. Not API. */
public interface Usual {

    /**
     * What narrows by this option, whatever is typed: what the profile says that is asked for, or else the defaults of each file, none
     * of which stands for another's.
     */
    List<List<String>> values(String option);

    /** All that they say: the profile that is asked for, and the defaults of each file. */
    List<String> everywhere(String option);

    /** Whether it is said in the profile that is asked for. */
    boolean isAskedFor(String option);

    /** Whether it is said for this call: typed, or in the profile that is asked for. */
    default boolean isForThisCall(@Nullable CommandSpec command, String option) {
        return Typed.has(command, "--" + option).orElse(false) || isAskedFor(option);
    }
}

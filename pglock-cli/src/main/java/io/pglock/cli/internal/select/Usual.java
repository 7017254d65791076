// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.util.List;

/** What {@code pglock.toml} says where sessions are signalled. Not API. */
public interface Usual {

    /**
     * What narrows by this option, whatever is typed: what the profile says that is asked for, or else the defaults of each file, none
     * of which stands for another's.
     */
    List<List<String>> values(String option);

    /** Whether it is said in the profile that is asked for. */
    boolean isAskedFor(String option);
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.select.Row;
import java.util.List;

/** How rows are shown. Not API. */
public interface View {

    /**
     * As lines.
     *
     * @param again whether rows were shown before, and these are how they are now
     */
    List<String> lines(List<Row> rows, boolean again);
}

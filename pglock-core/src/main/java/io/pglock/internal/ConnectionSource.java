// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.Connection;
import java.sql.SQLException;

/** Where connections come from. Not API. */
@FunctionalInterface
public interface ConnectionSource {

    Connection connect() throws SQLException;
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import java.util.List;
import java.util.Map;

/** The application's properties say something that pglock does not understand. */
final class InvalidSettingsException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    private final transient Map<String, String> origins;

    InvalidSettingsException(List<String> mistakes, Map<String, String> origins) {
        super(String.join("; ", mistakes));
        this.origins = origins;
    }

    /** Where each property stands. */
    Map<String, String> origins() {
        return origins;
    }
}

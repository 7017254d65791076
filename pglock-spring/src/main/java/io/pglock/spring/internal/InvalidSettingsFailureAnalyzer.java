// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import java.util.stream.Collectors;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says what is wrong with the settings, and where they stand, in place of a stack trace. Stateless. Not API. */
final class InvalidSettingsFailureAnalyzer extends AbstractFailureAnalyzer<InvalidSettingsException> {

    InvalidSettingsFailureAnalyzer() {}

    @Override
    protected FailureAnalysis analyze(Throwable failure, InvalidSettingsException cause) {
        String places = cause.origins().entrySet().stream()
                .map(place -> "    " + place.getKey() + ": " + place.getValue())
                .collect(Collectors.joining("\n"));
        return new FailureAnalysis(
                cause.getMessage() + "\n\nThese are set:\n\n" + places,
                "Correct them, or remove them for the default. pglock's docs/settings.md has every setting and how it is"
                        + " written, docs/spring-boot.md where.",
                cause);
    }
}

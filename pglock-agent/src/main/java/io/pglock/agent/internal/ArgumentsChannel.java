// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.Channel.Written;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code -javaagent:pglock-agent.jar=lockTimeout=3s;target=com.acme.Migrator#run;prioritize=cancel}: what comes before the
 * first target holds for all, each {@code target=} begins a new one. A semicolon within a value is written {@code \;}.
 */
final class ArgumentsChannel {

    static final String SOURCE = "the agent's arguments";

    private final Channel channel = Channel.of(SOURCE);
    private final Mistakes mistakes;
    private Map<String, String> scope = channel.keys();
    private boolean afterASecret;

    private ArgumentsChannel(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    static Channel read(String arguments, Mistakes mistakes) {
        ArgumentsChannel reading = new ArgumentsChannel(mistakes);
        entries(arguments).stream().filter(entry -> !entry.isBlank()).forEach(reading::add);
        return reading.channel;
    }

    private void add(String entry) {
        int equals = entry.indexOf('=');
        String written = (equals < 0 ? entry : entry.substring(0, equals)).strip();
        Optional<String> key =
                Keys.spelt(written.startsWith("pglock.") ? written.substring("pglock.".length()) : written);
        boolean bare = equals < 0 && key.filter(Keys.ADVISORY::equals).isPresent();
        if (key.isEmpty() || equals < 0 && !bare) {
            mistakes.add(notUnderstood(written, key.isPresent()));
            return;
        }
        String name = key.get();
        String value = bare ? "true" : entry.substring(equals + 1).strip();
        afterASecret = Keys.isSecret(name);
        if (name.equals(Keys.TARGET)) {
            scope = new LinkedHashMap<>();
            channel.targets().add(new Written(Optional.empty(), scope));
        }
        // What only the agent as a whole has may stand anywhere.
        Channel.put(Keys.OF_A_TARGET.contains(name) ? scope : channel.keys(), name, value, SOURCE, mistakes);
    }

    private String notUnderstood(String written, boolean known) {
        if (known) {
            return written + " has no value in " + SOURCE + "; write " + written + "=...";
        }
        // It may be the rest of a password with a semicolon in it.
        return afterASecret && Keys.nearest(written, Keys.ALL).isEmpty()
                ? "what follows the password in " + SOURCE
                        + " is not understood; write \\; for a semicolon within a value"
                : Keys.unknown(written, Keys.ALL) + " (in " + SOURCE + ")";
    }

    private static List<String> entries(String arguments) {
        List<String> entries = new ArrayList<>();
        StringBuilder entry = new StringBuilder();
        for (int i = 0; i < arguments.length(); i++) {
            char c = arguments.charAt(i);
            if (c == '\\' && i + 1 < arguments.length() && arguments.charAt(i + 1) == ';') {
                entry.append(';');
                i++;
            } else if (c == ';') {
                entries.add(entry.toString());
                entry.setLength(0);
            } else {
                entry.append(c);
            }
        }
        entries.add(entry.toString());
        return entries;
    }
}

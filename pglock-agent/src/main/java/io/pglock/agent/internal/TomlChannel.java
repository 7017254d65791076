// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.Channel.Written;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * Settings in TOML: the table {@code [agent]}, with {@code [[agent.targets]]}. The parser is loaded when such a file is
 * read, and not before.
 */
final class TomlChannel {

    private static final String AGENT = "agent";
    private static final String NAME = "name";

    private final Channel channel;
    private final Mistakes mistakes;

    private TomlChannel(Channel channel, Mistakes mistakes) {
        this.channel = channel;
        this.mistakes = mistakes;
    }

    /** @return empty where it has no table {@code [agent]}, or is not TOML */
    static Optional<Channel> read(String text, String source, Mistakes mistakes) {
        TomlParseResult toml = Toml.parse(text);
        if (toml.hasErrors()) {
            // What the parser says repeats what stands there, which may be a password.
            toml.errors()
                    .forEach(error ->
                            mistakes.add(source + ", " + error.position() + ": is not TOML; write key = \"value\""));
            return Optional.empty();
        }
        Object agent = toml.get(List.of(AGENT));
        if (agent == null) {
            return Optional.empty();
        }
        TomlChannel reading = new TomlChannel(Channel.of(source), mistakes);
        if (agent instanceof TomlTable table) {
            reading.add(table);
        } else {
            mistakes.add("agent in " + source + " is not a table; write [agent]");
        }
        return Optional.of(reading.channel);
    }

    private void add(TomlTable agent) {
        for (String key : agent.keySet()) {
            Object value = agent.get(List.of(key));
            if (!key.equals(Keys.TARGETS)) {
                put(channel.keys(), key, value, Keys.ALL);
            } else if (value instanceof TomlTable named) {
                named.keySet().forEach(name -> addTarget(Optional.of(name), named.get(List.of(name))));
            } else if (value instanceof TomlArray array) {
                array.toList().forEach(target -> addTarget(Optional.empty(), target));
            } else {
                mistakes.add("targets in " + channel.source() + " is not a list of tables; write [[agent.targets]]");
            }
        }
    }

    private void addTarget(Optional<String> tablesName, @Nullable Object value) {
        if (!(value instanceof TomlTable table)) {
            mistakes.add("a target in " + channel.source() + " is not a table; write [[agent.targets]] and its settings"
                    + " below");
            return;
        }
        Optional<String> name = tablesName.or(
                () -> Optional.ofNullable(table.get(List.of(NAME))).map(String::valueOf));
        Map<String, String> keys = new LinkedHashMap<>();
        for (String key : table.keySet()) {
            if (!key.equals(NAME)) {
                put(keys, key, table.get(List.of(key)), Keys.OF_A_TARGET);
            }
        }
        channel.targets().add(new Written(name.map(Channel::plain), keys));
    }

    private void put(Map<String, String> keys, String written, @Nullable Object value, List<String> known) {
        Optional<String> key = Keys.spelt(written).filter(known::contains);
        if (key.isEmpty()) {
            mistakes.add(Keys.unknown(written, known) + " (in " + channel.source() + ")");
        } else if (value instanceof TomlArray array) {
            List<String> texts = new ArrayList<>();
            array.toList().forEach(text -> texts.add(String.valueOf(text)));
            Channel.put(
                    keys, key.get(), texts.isEmpty() ? "none" : String.join(",", texts), channel.source(), mistakes);
        } else if (value instanceof TomlTable || value == null) {
            mistakes.add(written + " in " + channel.source() + " is a table, and should be a text");
        } else {
            Channel.put(keys, key.get(), String.valueOf(value).strip(), channel.source(), mistakes);
        }
    }
}

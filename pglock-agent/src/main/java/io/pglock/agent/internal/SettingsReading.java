// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import io.pglock.agent.internal.AgentSettings.OnError;
import io.pglock.agent.internal.Channel.Written;
import io.pglock.internal.Setting;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/** Makes {@link AgentSettings} of all the places where settings may be written. Not thread-safe, used once. */
final class SettingsReading {

    private final Path directory;
    private final Mistakes mistakes = new Mistakes();
    private final List<Channel> channels = new ArrayList<>();

    /** A target of which one place or several have said something. */
    private record Draft(String source, Map<String, String> keys) {}

    SettingsReading(Path directory) {
        this.directory = directory;
    }

    AgentSettings read(String arguments, Map<String, String> properties, Map<String, String> environment) {
        channels.add(ArgumentsChannel.read(arguments, mistakes));
        channels.add(PropertyChannels.system(properties, mistakes));
        channels.add(PropertyChannels.environment(environment, mistakes));
        said(Keys.CONFIG)
                .map(name -> SettingsFile.named(name, directory, mistakes))
                .orElseGet(() -> SettingsFile.found(directory, mistakes))
                .ifPresent(channels::add);

        boolean enabled = flag(Keys.ENABLED);
        boolean spring = flag(Keys.SPRING);
        OnError onError = oneOf(Keys.ON_ERROR, OnError.values(), OnError.WARN);
        AgentLog.Threshold log = oneOf(Keys.LOG, AgentLog.Threshold.values(), AgentLog.Threshold.INFO);
        Optional<Path> logFile = said(Keys.LOG_FILE)
                .flatMap(text -> read(Keys.LOG_FILE, () ->
                                (Optional<?>) Setting.REPORT.readAs(Keys.LOG_FILE, inDirectory(text)))
                        .flatMap(file -> file.map(Path.class::cast)));
        List<ClassGlob> excluded = said(Keys.EXCLUDE_CLASSES)
                .map(text -> Arrays.stream(text.split(","))
                        .map(String::strip)
                        .flatMap(name -> read(Keys.EXCLUDE_CLASSES, () -> ClassGlob.parse(name)).stream())
                        .toList())
                .orElse(List.of());
        Map<String, String> defaults = defaults();
        List<Target> targets = targets(defaults);
        return new AgentSettings(
                enabled,
                onError,
                log,
                logFile,
                excluded,
                spring,
                defaults,
                enabled ? targets : List.of(),
                channels.stream()
                        .filter(channel -> !channel.isEmpty())
                        .map(Channel::source)
                        .toList(),
                // Who switches it off wants it off, whatever else is wrong.
                enabled ? mistakes.texts() : List.of());
    }

    private String inDirectory(String file) {
        try {
            return directory.resolve(file).toString();
        } catch (InvalidPathException e) {
            return file;
        }
    }

    /** What the first place has that has the key. */
    private Optional<String> said(String key) {
        return channels.stream()
                .flatMap(channel -> Optional.ofNullable(channel.keys().get(key)).stream())
                .findFirst();
    }

    private String saidIn(String key) {
        return channels.stream()
                .filter(channel -> channel.keys().containsKey(key))
                .findFirst()
                .map(Channel::source)
                .orElse("");
    }

    private <T> Optional<T> read(String key, Supplier<T> reading) {
        try {
            return Optional.of(reading.get());
        } catch (IllegalArgumentException e) {
            mistakes.add(e.getMessage() + " (in " + saidIn(key) + ")");
            return Optional.empty();
        }
    }

    /** True unless it is false. */
    private boolean flag(String key) {
        return said(key)
                .flatMap(text -> read(key, () -> (Boolean) Setting.ENABLED.readAs(key, text)))
                .orElse(true);
    }

    private <E extends Enum<E>> E oneOf(String key, E[] known, E otherwise) {
        Function<E, String> spelling = it -> it.name().toLowerCase(Locale.ROOT);
        List<String> spellings = Arrays.stream(known).map(spelling).toList();
        return said(key)
                .flatMap(text -> read(key, () -> {
                    int index = spellings.indexOf(text);
                    if (index < 0) {
                        throw new IllegalArgumentException(
                                key + "=" + text + ": is none of " + String.join(", ", spellings)
                                        + Keys.nearest(text, spellings)
                                                .map(near -> ". Did you mean " + near + "?")
                                                .orElse(""));
                    }
                    return known[index];
                }))
                .orElse(otherwise);
    }

    /** What is said for all targets; what is wrong is told once, here, and left out. */
    private Map<String, String> defaults() {
        Map<String, String> defaults = new TreeMap<>();
        for (String key : Keys.OF_A_TARGET) {
            if (!key.equals(Keys.TARGET) && !key.equals(Keys.ENABLED)) {
                said(key).filter(value -> isRight(key, value)).ifPresent(value -> defaults.put(key, value));
            }
        }
        return defaults;
    }

    private boolean isRight(String key, String value) {
        if (!LockPolicy.keys().contains(key) || MonitorKeys.ALL.contains(key)) {
            return true; // read with the targets
        }
        return read(key, () -> Setting.named(key).read(value)).isPresent();
    }

    private List<Target> targets(Map<String, String> defaults) {
        List<Draft> drafts = drafts();
        if (drafts.isEmpty()) {
            tellOfDefaultsForNothing(defaults);
        }
        List<Target> targets = new ArrayList<>();
        for (Draft draft : drafts) {
            Map<String, String> keys = new TreeMap<>(draft.keys());
            if (keys.containsKey(Keys.TARGET)) {
                addDefaults(keys, defaults);
            }
            mistakes.readAll(() -> Target.of(keys, draft.source())).ifPresent(targets::add);
        }
        return targets;
    }

    /** A default that has nothing to hold on to in this target is left out. */
    private static void addDefaults(Map<String, String> keys, Map<String, String> defaults) {
        Set<String> own = Set.copyOf(keys.keySet());
        defaults.forEach(keys::putIfAbsent);
        boolean advisory = !keys.getOrDefault(Keys.ADVISORY, "false").equals("false");
        boolean table = !keys.getOrDefault(Keys.TABLE, "none").equals("none");
        keys.keySet().removeIf(key -> !own.contains(key) && !holds(key, advisory, table));
    }

    private static boolean holds(String key, boolean advisory, boolean table) {
        if (key.equals(Keys.ON_TIMEOUT) || key.equals(Keys.SKIP_VALUE)) {
            return advisory || table;
        }
        return key.startsWith(Keys.ADVISORY) ? advisory : table || !key.startsWith(Keys.TABLE);
    }

    /** System properties and variables may be meant for Flyway or Liquibase; the agent's arguments mean the agent. */
    private void tellOfDefaultsForNothing(Map<String, String> defaults) {
        List<String> useless = defaults.keySet().stream()
                .filter(key -> Keys.OF_A_METHOD.contains(key)
                        || !Targets.holdsForAnnotations(key) && saidIn(key).equals(ArgumentsChannel.SOURCE))
                .toList();
        if (!useless.isEmpty()) {
            mistakes.add(String.join(", ", useless) + " in " + saidIn(useless.get(0))
                    + ": there is no target to which this could apply; write target=com.acme.Migrator#run as well");
        }
    }

    /** What the places say about targets, put together by name and by what they mean. */
    private List<Draft> drafts() {
        Map<String, Draft> byName = new LinkedHashMap<>();
        boolean single = false;
        for (Channel channel : channels) {
            List<Written> written = new ArrayList<>(channel.targets());
            String target = channel.keys().get(Keys.TARGET);
            if (target != null && !single) {
                single = true;
                written.add(new Written(Optional.empty(), Map.of(Keys.TARGET, target)));
            }
            Set<String> here = new HashSet<>();
            Set<String> names = new HashSet<>();
            for (Written it : written) {
                String meant = it.keys().getOrDefault(Keys.TARGET, "");
                if (!meant.isEmpty() && !here.add(meant)) {
                    mistakes.add("target " + meant + " stands twice in " + channel.source() + "; make one of the two");
                    continue;
                }
                if (it.name().filter(name -> !names.add(name)).isPresent()) {
                    mistakes.add("two targets in " + channel.source() + " have the name "
                            + it.name().get() + "; give one of them another");
                    continue;
                }
                String id = it.name().map(name -> "name " + name).orElse("target " + meant);
                merge(byName, id, new Draft(channel.source(), it.keys()));
            }
        }
        Map<String, Draft> byTarget = new LinkedHashMap<>();
        byName.forEach((id, draft) -> {
            String meant = draft.keys().get(Keys.TARGET);
            merge(byTarget, meant == null ? id : "target " + meant, draft);
        });
        return List.copyOf(byTarget.values());
    }

    private static void merge(Map<String, Draft> drafts, String id, Draft more) {
        Draft draft = drafts.computeIfAbsent(id, ignored -> new Draft(more.source(), new TreeMap<>()));
        more.keys().forEach(draft.keys()::putIfAbsent);
    }
}

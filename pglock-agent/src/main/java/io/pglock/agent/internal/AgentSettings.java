// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * All that the agent is told when it starts. Immutable and thread-safe.
 *
 * <p>Where a key stands in several places, this is their order: the agent's own arguments, which stand on the command line
 * beside the agent and mean nobody else; system properties; the environment; a file. (OpenTelemetry's agent has the same
 * order: it makes its arguments system properties.) Targets that mean the same methods, or have the same name, are one target,
 * key by key in that order.
 *
 * <p>A mistake in one place leaves the rest in force: what is said rightly is still done, and {@link #mistakes} are to be told,
 * or with {@code onError=fail} to end the start.
 *
 * @param enabled whether the agent does anything at all
 * @param onError what a mistake, or a method that cannot be guarded, leads to
 * @param log how much the agent says
 * @param logFile where, if not on the error stream; absolute
 * @param excludeClasses classes that are never changed
 * @param spring whether Spring's transactions are known, so that a method is guarded until they have ended
 * @param defaults for all targets, as they are written
 * @param targets in the order of their places
 * @param sources where settings were found, by name
 * @param mistakes everything that is wrong, for people
 */
record AgentSettings(
        boolean enabled,
        OnError onError,
        AgentLog.Threshold log,
        Optional<Path> logFile,
        List<ClassGlob> excludeClasses,
        boolean spring,
        Map<String, String> defaults,
        List<Target> targets,
        List<String> sources,
        List<String> mistakes) {

    /** What a mistake leads to. */
    enum OnError {
        /** It is told, and the application goes on. */
        WARN,
        /** The process does not start; a method that should be guarded and cannot be throws. */
        FAIL
    }

    AgentSettings {
        excludeClasses = List.copyOf(excludeClasses);
        defaults = Map.copyOf(defaults);
        targets = List.copyOf(targets);
        sources = List.copyOf(sources);
        mistakes = List.copyOf(mistakes);
    }

    /**
     * What this process is told.
     *
     * @param arguments what stands behind the {@code =} of {@code -javaagent}, or nothing
     */
    static AgentSettings ofThisProcess(String arguments) {
        Properties properties = System.getProperties();
        Map<String, String> texts = new LinkedHashMap<>();
        properties.stringPropertyNames().forEach(key -> texts.put(key, properties.getProperty(key, "")));
        return of(arguments, texts, System.getenv(), Path.of(""));
    }

    /** What these places say. */
    static AgentSettings of(
            String arguments, Map<String, String> properties, Map<String, String> environment, Path directory) {
        return new SettingsReading(directory).read(arguments, properties, environment);
    }

    /** @param internalName with slashes */
    boolean isExcluded(String internalName) {
        if (excludeClasses.isEmpty()) {
            return false;
        }
        String className = internalName.replace('/', '.');
        return excludeClasses.stream().anyMatch(glob -> glob.matches(className));
    }

    /** Never a password. */
    @Override
    public String toString() {
        return "AgentSettings[enabled=" + enabled + ", onError=" + onError + ", log=" + log.key() + ", logFile="
                + logFile
                + ", excludeClasses=" + excludeClasses + ", spring=" + spring + ", defaults=" + Keys.shown(defaults)
                + ", targets=" + targets + ", sources=" + sources + ", mistakes=" + mistakes + "]";
    }
}

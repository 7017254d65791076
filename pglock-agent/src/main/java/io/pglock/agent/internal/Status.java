// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.Counters.Kind;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;

/**
 * What the agent has done so far, for people and for JMX. Thread-safe.
 *
 * <p>Methods are known by what they are called, {@code com.acme.Job#run()}: the same class in two class loaders, or after a
 * redeployment, is counted once.
 */
final class Status implements AgentMXBean {

    private final String version;
    private final AgentSettings settings;
    private final TargetProgress targets;
    private final Counters all = Counters.ofAll();
    private final Map<String, Counters> methods = new ConcurrentHashMap<>();
    private final Map<String, String> woven = new ConcurrentSkipListMap<>();
    private final Map<String, String> refused = new ConcurrentSkipListMap<>();
    private final Map<String, String> drivers = new ConcurrentSkipListMap<>();
    private final Map<String, String> poolers = new ConcurrentSkipListMap<>();

    Status(String version, AgentSettings settings, TargetProgress targets) {
        this.version = version;
        this.settings = settings;
        this.targets = targets;
    }

    /** For all methods together. */
    Counters counters() {
        return all;
    }

    /**
     * For one method; to be kept by who counts.
     *
     * @param method {@code com.acme.Job#run()}
     */
    Counters counters(String method) {
        return methods.computeIfAbsent(method, ignored -> all.ofOne());
    }

    /** The method is guarded, because of a target or of its annotations. */
    void woven(String method, Spec spec, Optional<Target> target) {
        woven.put(method, spec.described());
        refused.remove(method);
        target.ifPresent(it -> targets.woven(it, method));
    }

    /** The method is not guarded, although it should be. */
    void refused(String method, String reason, Optional<Target> target) {
        refused.put(method, reason);
        target.ifPresent(it -> targets.refused(it, method, reason));
    }

    /**
     * A driver is there.
     *
     * @param driver version and class loader
     * @param unsupported why it cannot be used; empty where it can
     */
    void driver(String driver, Optional<String> unsupported) {
        drivers.put(driver, unsupported.map(why -> "not supported: " + why).orElse("supported"));
    }

    /**
     * There is a pooler.
     *
     * @param database where; without user and password
     * @param consequence what does not work through it
     */
    void pooler(String database, String consequence) {
        poolers.put(MonitorKeys.shown(database), consequence);
    }

    @Override
    public String getVersion() {
        return version;
    }

    @Override
    public Map<String, String> getSettings() {
        Map<String, String> shown = new TreeMap<>();
        settings.defaults().forEach((key, value) -> shown.put(key, Keys.shown(key, value)));
        shown.put(Keys.ENABLED, String.valueOf(settings.enabled()));
        shown.put(Keys.ON_ERROR, settings.onError().name().toLowerCase(Locale.ROOT));
        shown.put(Keys.LOG, settings.log().key());
        settings.logFile().ifPresent(file -> shown.put(Keys.LOG_FILE, file.toString()));
        shown.put(Keys.SPRING, String.valueOf(settings.spring()));
        if (!settings.excludeClasses().isEmpty()) {
            shown.put(
                    Keys.EXCLUDE_CLASSES,
                    settings.excludeClasses().stream().map(String::valueOf).collect(Collectors.joining(",")));
        }
        return shown;
    }

    @Override
    public List<String> getMistakes() {
        return settings.mistakes();
    }

    @Override
    public Map<String, String> getTargets() {
        Map<String, String> shown = new TreeMap<>();
        for (TargetProgress.State state : targets.states()) {
            shown.put(
                    state.target().pattern().toString(),
                    state.problem()
                            .map(problem -> "guards nothing: " + problem)
                            .orElseGet(() -> "guards " + String.join(", ", state.woven())));
        }
        return shown;
    }

    @Override
    public Map<String, String> getMethods() {
        Map<String, String> shown = new TreeMap<>();
        woven.forEach((method, spec) ->
                shown.put(method, spec + ": " + counters(method).described()));
        return shown;
    }

    @Override
    public Map<String, String> getRefused() {
        return new TreeMap<>(refused);
    }

    @Override
    public Map<String, String> getDrivers() {
        return new TreeMap<>(drivers);
    }

    @Override
    public Map<String, String> getPoolers() {
        return new TreeMap<>(poolers);
    }

    @Override
    public long getScopesOpen() {
        return all.open();
    }

    @Override
    public long getScopes() {
        return all.count(Kind.BEGUN);
    }

    @Override
    public long getWaits() {
        return all.count(Kind.WAITED);
    }

    @Override
    public long getWaitedMillis() {
        return all.waited().toMillis();
    }

    @Override
    public long getNotAcquired() {
        return all.count(Kind.NOT_ACQUIRED);
    }

    @Override
    public long getSkipped() {
        return all.count(Kind.SKIPPED);
    }

    @Override
    public long getRaised() {
        return all.count(Kind.RAISED);
    }

    @Override
    public long getRetried() {
        return all.count(Kind.RETRIED);
    }

    @Override
    public long getSignals() {
        return all.count(Kind.SIGNALLED);
    }

    @Override
    public long getFailures() {
        return all.count(Kind.FAILED);
    }

    @Override
    public String status() {
        StringBuilder text = new StringBuilder("pglock agent " + version + "\n");
        text.append("settings (")
                .append(settings.sources().isEmpty() ? "none are written" : String.join(", ", settings.sources()))
                .append("): ")
                .append(Keys.shown(getSettings()))
                .append('\n');
        settings.mistakes()
                .forEach(mistake -> text.append("mistake: ").append(mistake).append('\n'));
        getTargets().forEach((target, state) -> line(text, "target", target, state));
        getMethods().forEach((method, state) -> line(text, "method", method, state));
        getRefused().forEach((method, reason) -> line(text, "refused", method, reason));
        getDrivers().forEach((driver, state) -> line(text, "driver", driver, state));
        getPoolers().forEach((database, state) -> line(text, "pooler", database, state));
        return text.append("in all: ").append(all.described()).append('\n').toString();
    }

    private static void line(StringBuilder text, String what, String which, String state) {
        text.append(what).append(' ').append(which).append(": ").append(state).append('\n');
    }

    /** In a line, with the time at which it was so. */
    String summary() {
        long idle = targets.states().stream()
                .filter(state -> state.problem().isPresent())
                .count();
        return version + ", " + woven.size() + " methods guarded, " + refused.size() + " refused, " + idle
                + " targets that guard nothing, " + settings.mistakes().size() + " mistakes; " + all.described()
                + "; as of "
                + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }
}

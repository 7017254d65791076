// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.SeenBlocker;
import io.pglock.Signal;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What a priority scope was asked to do; see {@link io.pglock.Prioritize}, whose withers fill it. Immutable. Not API.
 *
 * @param protect names, in every spelling in which a server may show them
 * @param spare blockers that are never signalled, beyond those named in {@code protect}
 * @param required whether a scope without a usable side connection is an error
 * @param listener who is told instead of the system logger
 */
public record PriorityPlan(
        Aim aim,
        Timing timing,
        Set<String> protect,
        Predicate<SeenBlocker> spare,
        boolean required,
        Optional<BiConsumer<System.Logger.Level, String>> listener) {

    /** How far it goes. */
    public enum Mode {
        REPORT,
        CANCEL,
        TERMINATE,
        ACTION
    }

    /** @param action asked instead where the mode is {@link Mode#ACTION} */
    public record Aim(Mode mode, Function<SeenBlocker, Optional<Signal>> action, boolean dryRun) {}

    /** The four times; see {@link io.pglock.Prioritize}. */
    public record Timing(Duration after, Duration grace, Duration every, Duration minAge) {}

    public static final PriorityPlan DEFAULT = new PriorityPlan(
            new Aim(Mode.REPORT, seen -> Optional.empty(), false),
            new Timing(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofMillis(50), Duration.ZERO),
            Set.of("pg_dump", "pg_basebackup"),
            seen -> false,
            false,
            Optional.empty());

    public PriorityPlan aim(Mode mode, Function<SeenBlocker, Optional<Signal>> action) {
        return aim(new Aim(mode, action, aim.dryRun()));
    }

    public PriorityPlan dryRun() {
        return aim(new Aim(aim.mode(), aim.action(), true));
    }

    private PriorityPlan aim(Aim changed) {
        return new PriorityPlan(changed, timing, protect, spare, required, listener);
    }

    public PriorityPlan timing(Timing changed) {
        return new PriorityPlan(aim, changed, protect, spare, required, listener);
    }

    public PriorityPlan protect(Set<String> names) {
        return new PriorityPlan(aim, timing, Set.copyOf(ServerNames.spellings(names)), spare, required, listener);
    }

    public PriorityPlan spareAlso(Predicate<SeenBlocker> those) {
        return new PriorityPlan(aim, timing, protect, spare.or(those), required, listener);
    }

    public PriorityPlan requireSideConnection() {
        return new PriorityPlan(aim, timing, protect, spare, true, listener);
    }

    public PriorityPlan listener(BiConsumer<System.Logger.Level, String> told) {
        return new PriorityPlan(aim, timing, protect, spare, required, Optional.of(told));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;

/** Which targets have found their methods so far: a target that guards nothing is told. Thread-safe. */
final class TargetProgress {

    /**
     * A method that a class declares.
     *
     * @param parameterTypes as {@code Class.getTypeName} has them, arrays as {@code byte[]}
     */
    record Method(String name, List<String> parameterTypes, boolean isAbstract) {

        @Override
        public String toString() {
            return name + "(" + String.join(",", parameterTypes) + ")";
        }
    }

    /**
     * How far a target has come.
     *
     * @param woven its methods that are guarded: {@code com.acme.Migrator#run()}
     * @param refused its methods that cannot be, and why
     * @param problem why it guards nothing yet; empty where it guards something
     */
    record State(Target target, Set<String> woven, Map<String, String> refused, Optional<String> problem) {}

    private static final class Progress {
        final Set<String> woven = new ConcurrentSkipListSet<>();
        final Map<String, String> refused = new ConcurrentSkipListMap<>();
        volatile Optional<String> missing = Optional.empty();
        volatile boolean loaded;
    }

    private final List<Target> targets;
    private final AgentLog log;
    private final Map<Target, Progress> progress = new ConcurrentHashMap<>();

    /** @param targets in the order in which they are written */
    TargetProgress(List<Target> targets, AgentLog log) {
        this.targets = List.copyOf(targets);
        this.log = log;
    }

    /** A method of this target is guarded. */
    void woven(Target target, String method) {
        of(target).woven.add(method);
    }

    /** A method of this target cannot be guarded; saying so is up to the caller. */
    void refused(Target target, String method, String reason) {
        of(target).refused.put(method, reason);
    }

    /**
     * A class has been loaded: the targets that name it must find their method in it.
     *
     * @param methods those that it declares itself
     * @param superclass where others come from; empty where nothing is inherited but from Object
     * @return what is wrong with one of them
     */
    Optional<String> loaded(String className, Collection<Method> methods, Optional<String> superclass) {
        Optional<String> wrong = Optional.empty();
        for (Target target : targets) {
            if (target.pattern().exactClass().filter(className::equals).isPresent()) {
                of(target).loaded = true;
                Optional<String> problem = problem(target, className, methods, superclass);
                if (problem.isPresent()) {
                    of(target).missing = problem;
                    String message = problem.get() + " (target in " + target.source() + ")";
                    log.warnOnce(message, message);
                    wrong = target.spec().equals(Spec.NOTHING) ? wrong : Optional.of(message);
                }
            }
        }
        return wrong;
    }

    /** Why a target that names this class finds no method in it. */
    static Optional<String> problem(
            Target target, String className, Collection<Method> methods, Optional<String> superclass) {
        List<Method> meant = methods.stream()
                .filter(method -> target.pattern().matches(className, method.name(), method.parameterTypes(), Set.of()))
                .toList();
        if (meant.isEmpty()) {
            return Optional.of(className + " has no method " + target.pattern().methodText()
                    + remedy(target.pattern(), methods, superclass));
        }
        if (meant.stream().allMatch(Method::isAbstract)) {
            return Optional.of(className + "#" + meant.get(0).name()
                    + " is abstract, and has nothing to guard; name the classes that implement it");
        }
        return Optional.empty();
    }

    private static String remedy(MethodPattern pattern, Collection<Method> methods, Optional<String> superclass) {
        Optional<String> name = pattern.exactMethod();
        List<String> overloads = methods.stream()
                .filter(method -> name.filter(method.name()::equals).isPresent())
                .map(Method::toString)
                .sorted()
                .toList();
        if (!overloads.isEmpty()) {
            return "; it has " + String.join(", ", overloads);
        }
        List<String> names = methods.stream()
                .map(Method::name)
                .filter(method -> !method.startsWith("<"))
                .distinct()
                .sorted()
                .toList();
        return name.flatMap(it -> Keys.nearest(it, names))
                .map(near -> "; did you mean " + near + "?")
                .or(() -> superclass
                        .filter(parent -> !parent.equals("java.lang.Object"))
                        .map(parent -> " of its own; if it inherits one from " + parent + ", name that class"))
                .orElseGet(() -> names.isEmpty()
                        ? "; it has none at all"
                        : "; it has " + names.stream().limit(20).collect(Collectors.joining(", ")));
    }

    /** All targets, in the order in which they are written. */
    List<State> states() {
        return targets.stream().map(this::state).toList();
    }

    private State state(Target target) {
        Progress so = of(target);
        Optional<String> problem = so.woven.isEmpty() ? Optional.of(problem(target, so)) : Optional.empty();
        return new State(target, new TreeSet<>(so.woven), Map.copyOf(so.refused), problem);
    }

    private static String problem(Target target, Progress so) {
        if (target.spec().equals(Spec.NOTHING)) {
            return "it is switched off (enabled=false)";
        }
        if (so.missing.isPresent()) {
            return so.missing.get();
        }
        if (!so.refused.isEmpty()) {
            return "all of its methods are refused";
        }
        if (so.loaded) {
            return "a more specific target has its methods, or the log says why not";
        }
        return target.pattern()
                .exactClass()
                .map(name -> name + " has not been loaded")
                .orElse("no such class or method has been loaded");
    }

    private Progress of(Target target) {
        return progress.computeIfAbsent(target, ignored -> new Progress());
    }
}

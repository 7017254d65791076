// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * All that the configuration names, for the weaver: first whether a class is worth a look, then what one of its methods gets.
 * Thread-safe.
 *
 * <p>Of several targets that mean one method the most specific one counts, and only that: exact class and method, then
 * patterns, the longest first, then annotations.
 */
final class Targets {

    /** What only the annotation itself, or a target, may say of a method; the other settings say how. */
    private static final Set<String> SAID_BY_A_METHOD = Set.of(
            "enabled",
            "lockTimeout",
            "statementTimeout",
            "concurrentLockTimeout",
            "retryDeadline",
            "retryAttempts",
            "prioritize");

    private final List<Target> targets;
    private final Map<String, String> defaults;
    private final AgentLog log;
    private final TargetProgress progress;
    private final Set<String> exactClasses;
    private final List<Glob> globs;
    private final Set<String> annotationDescriptors;

    /** A pattern of classes, ready for internal names. */
    private record Glob(String literalStart, MethodPattern pattern) {}

    /** @param defaults for all targets, as they are written */
    Targets(List<Target> targets, Map<String, String> defaults, AgentLog log) {
        this.targets = targets.stream()
                .sorted((a, b) -> a.pattern().compareTo(b.pattern()))
                .toList();
        this.defaults = new TreeMap<>(defaults);
        this.log = log;
        this.progress = new TargetProgress(targets, log);
        this.exactClasses = targets.stream()
                .flatMap(target -> target.pattern().exactClass().stream())
                .map(name -> name.replace('.', '/'))
                .collect(Collectors.toUnmodifiableSet());
        this.globs = targets.stream()
                .map(Target::pattern)
                .filter(pattern -> pattern.classGlob().isPresent())
                .map(pattern -> new Glob(
                        pattern.classGlob().orElseThrow().literalStart().replace('.', '/'), pattern))
                .toList();
        this.annotationDescriptors = targets.stream()
                .flatMap(target -> target.pattern().annotationDescriptor().stream())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /**
     * Whether methods of this class may be meant by its name: one look-up, and a comparison for every pattern.
     *
     * @param internalName with slashes
     */
    boolean mayMatchClass(String internalName) {
        if (exactClasses.contains(internalName)) {
            return true;
        }
        for (Glob glob : globs) {
            if (internalName.startsWith(glob.literalStart())
                    && glob.pattern().matchesClass(internalName.replace('/', '.'))) {
                return true;
            }
        }
        return false;
    }

    /** Of the annotations that mark methods: {@code Lorg/springframework/scheduling/annotation/Scheduled;}. */
    Set<String> annotationDescriptors() {
        return annotationDescriptors;
    }

    /**
     * The target that counts for this method.
     *
     * @param className with dots
     * @param parameterTypes as {@code Class.getTypeName} has them, arrays as {@code byte[]}
     * @param annotations the descriptors of the method's annotations
     */
    Optional<Target> targetFor(
            String className, String methodName, List<String> parameterTypes, Set<String> annotations) {
        List<Target> matching = new ArrayList<>();
        for (Target target : targets) {
            if (target.pattern().matches(className, methodName, parameterTypes, annotations)) {
                matching.add(target);
            }
        }
        if (matching.isEmpty()) {
            return Optional.empty();
        }
        Target first = matching.get(0);
        if (matching.size() > 1 && first.pattern().compareTo(matching.get(1).pattern()) == 0) {
            String method = className + "#" + methodName;
            log.warnOnce(
                    "equal rank " + method,
                    method + " is meant by " + first.pattern() + " (" + first.source() + ") and by "
                            + matching.get(1).pattern() + " (" + matching.get(1).source()
                            + "), and neither is more specific; the first counts. Name the method exactly to have it otherwise");
        }
        return Optional.of(first);
    }

    /**
     * What the configuration and pglock's annotations together give to this method; the configuration has the last word.
     *
     * @param annotations the descriptors of all of the method's annotations
     * @param pglocks what pglock's annotations among them say, as {@link AnnotationKeys#of} takes it
     * @throws IllegalArgumentException naming every mistake in the annotations, or where the two do not go together
     */
    Optional<Spec> specFor(
            String className,
            String methodName,
            List<String> parameterTypes,
            Set<String> annotations,
            Map<String, Map<String, Object>> pglocks) {
        Optional<Target> target = targetFor(className, methodName, parameterTypes, annotations);
        if (target.isPresent()) {
            return target.map(it -> it.over(pglocks));
        }
        return pglocks.isEmpty() ? Optional.empty() : Optional.of(annotated(pglocks));
    }

    /** The defaults say how, the annotations what. */
    private Spec annotated(Map<String, Map<String, Object>> pglocks) {
        Map<String, String> keys = new TreeMap<>(AnnotationKeys.of(pglocks));
        defaults.forEach((key, value) -> {
            if (holdsForAnnotations(key)) {
                keys.put(key, value);
            }
        });
        return Spec.parse(keys, Spec.Base.ANNOTATIONS);
    }

    /** Whether a default for all targets also says how methods are treated that carry pglock's annotations. */
    static boolean holdsForAnnotations(String key) {
        return LockPolicy.keys().contains(key) && !SAID_BY_A_METHOD.contains(key);
    }

    /** To be told of every class for which {@link #mayMatchClass} holds, once it is loaded: what a target that names it misses. */
    Optional<String> loaded(String className, Collection<TargetProgress.Method> methods, Optional<String> superclass) {
        return progress.loaded(className, methods, superclass);
    }

    /** How far each target has come. */
    TargetProgress progress() {
        return progress;
    }
}

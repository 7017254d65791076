// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.advice.ExitAdvice;
import io.pglock.agent.internal.advice.MethodAdvice;
import io.pglock.agent.internal.advice.SiteId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.bytebuddy.description.annotation.AnnotationDescription;
import net.bytebuddy.description.annotation.AnnotationValue;
import net.bytebuddy.description.enumeration.EnumerationDescription;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import org.jspecify.annotations.Nullable;

/** Finds the methods of a class that are named or annotated, and puts the advice around them. Thread-safe. */
final class MethodWeaving {

    private static final String OURS = "io.pglock.annotation.With";

    private final Targets targets;
    private final Sites sites;
    private final Trouble trouble;
    private final Status status;
    private final AgentLog log;

    MethodWeaving(Targets targets, Sites sites, Trouble trouble, Status status, AgentLog log) {
        this.targets = targets;
        this.sites = sites;
        this.trouble = trouble;
        this.status = status;
        this.log = log;
    }

    /** The class as it is to be; null where none of its methods is concerned. */
    byte @Nullable [] weave(String name, ClassLoader loader, byte[] file) {
        ClassFile original = new ClassFile(name, loader, file);
        TypeDescription type = original.type();
        Optional<String> missing = targets.mayMatchClass(name)
                ? targets.loaded(type.getName(), methods(type), superclass(type))
                : Optional.empty();
        Optional<String> unusable = missing.filter(why -> trouble.fails());
        List<ClassFile.Advised> advised = new ArrayList<>();
        for (MethodDescription.InDefinedShape method : type.getDeclaredMethods()) {
            unusable.map(why -> refusing(type, method, loader, why))
                    .orElseGet(() -> site(type, method, loader))
                    .ifPresent(site -> advised.add(ClassFile.Advised.between(
                            method, MethodAdvice.class, ExitAdvice.class, SiteId.class, site.id())));
        }
        return advised.isEmpty() ? null : original.with(advised);
    }

    /** Nobody knows which method of this class should have been guarded: so none of them runs. */
    private Optional<Site> refusing(
            TypeDescription type, MethodDescription.InDefinedShape method, ClassLoader loader, String why) {
        boolean hasBody = method.isMethod() && !method.isAbstract() && !method.isNative() && !isTheCompilers(method);
        return hasBody
                ? Optional.of(register(
                        new Found(type, method, loader, Optional.empty()),
                        Spec.NOTHING,
                        SkipValue.NONE,
                        Optional.of("pglock: " + why)))
                : Optional.empty();
    }

    static List<TargetProgress.Method> methods(TypeDescription type) {
        return type.getDeclaredMethods().stream()
                .filter(method -> !method.isConstructor() && !isTheCompilers(method))
                .map(method -> new TargetProgress.Method(method.getName(), parameterTypes(method), method.isAbstract()))
                .toList();
    }

    /** What nobody has written calls the method that is meant. */
    private static boolean isTheCompilers(MethodDescription method) {
        return method.isTypeInitializer() || method.isBridge() || method.isSynthetic();
    }

    static Optional<String> superclass(TypeDescription type) {
        return Optional.ofNullable(type.getSuperClass())
                .map(parent -> parent.asErasure().getName())
                .filter(parent -> !parent.equals("java.lang.Object"));
    }

    private static List<String> parameterTypes(MethodDescription method) {
        return method.getParameters().asTypeList().asErasures().stream()
                .map(TypeDescription::getActualName)
                .toList();
    }

    private Optional<Site> site(TypeDescription type, MethodDescription.InDefinedShape method, ClassLoader loader) {
        if (isTheCompilers(method)) {
            return Optional.empty();
        }
        Set<String> annotations = descriptors(method);
        List<String> parameters = parameterTypes(method);
        Optional<Target> target = targets.targetFor(type.getName(), method.getName(), parameters, annotations);
        Map<String, Map<String, Object>> ours = ofOurs(method);
        if (target.isEmpty() && ours.isEmpty()) {
            return Optional.empty();
        }
        Found found = new Found(type, method, loader, target);
        Optional<String> never = Weavable.whyNot(type, method);
        if (never.isPresent()) {
            // A pattern means what can be meant; an exact name that means nothing else has been told by now.
            boolean byPattern = ours.isEmpty()
                    && target.filter(it -> it.pattern().annotationDescriptor().isEmpty())
                            .isPresent();
            if (!byPattern || method.isNative()) {
                refused(found, never.get());
            }
            return Optional.empty();
        }
        try {
            Spec spec = targets.specFor(type.getName(), method.getName(), parameters, annotations, ours)
                    .orElseThrow();
            if (spec.equals(Spec.NOTHING)) {
                return Optional.empty();
            }
            Weavable.check(method, spec);
            SkipValue skipped = SkipValue.of(
                    method.getReturnType().asErasure().getName(),
                    method.getReturnType().isPrimitive(),
                    spec.skips(),
                    spec.skipValue());
            Weavable.caution(method, spec).ifPresent(why -> log.warnOnce(found.named(), found.named() + ": " + why));
            status.woven(found.named(), spec, target);
            return Optional.of(register(found, spec, skipped, Optional.empty()));
        } catch (IllegalArgumentException e) {
            String message = refused(found, String.valueOf(e.getMessage()));
            return trouble.fails()
                    ? Optional.of(register(found, Spec.NOTHING, SkipValue.NONE, Optional.of("pglock: " + message)))
                    : Optional.empty();
        }
    }

    /** A method that is to be woven. */
    private record Found(
            TypeDescription type,
            MethodDescription.InDefinedShape method,
            ClassLoader loader,
            Optional<Target> target) {

        /** As messages and the status call it. */
        String named() {
            return type.getName() + "#" + method.getInternalName() + "(" + String.join(",", parameterTypes(method))
                    + ")";
        }
    }

    private String refused(Found found, String why) {
        String message = found.named() + " is not protected: " + why;
        log.warnOnce(message, message);
        status.refused(found.named(), why, found.target());
        return message;
    }

    private Site register(Found found, Spec spec, SkipValue skipped, Optional<String> refusal) {
        String className = found.type().getName();
        return sites.register(
                found.loader(),
                Sites.key(
                        className,
                        found.method().getInternalName(),
                        found.method().getDescriptor()),
                id -> new Site(
                        id,
                        found.loader(),
                        className + "." + found.method().getName(),
                        spec,
                        skipped,
                        refusal,
                        status.counters(found.named())));
    }

    /** Those of its annotations; one that it carries several times is in the class file only as what its container holds. */
    private static Set<String> descriptors(MethodDescription.InDefinedShape method) {
        return method.getDeclaredAnnotations().stream()
                .flatMap(annotation -> Stream.concat(Stream.of(annotation), contained(annotation)))
                .map(annotation -> annotation.getAnnotationType().getDescriptor())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static Stream<AnnotationDescription> contained(AnnotationDescription annotation) {
        return annotation.getAnnotationType().getDeclaredMethods().stream()
                .filter(attribute -> attribute.getName().equals("value")
                        && attribute.getReturnType().isArray())
                .map(annotation::getValue)
                .filter(value -> value.getState() == AnnotationValue.State.RESOLVED)
                .map(AnnotationValue::resolve)
                .filter(AnnotationDescription[].class::isInstance)
                .flatMap(value -> Stream.of((AnnotationDescription[]) value));
    }

    private static Map<String, Map<String, Object>> ofOurs(MethodDescription.InDefinedShape method) {
        Map<String, Map<String, Object>> found = new LinkedHashMap<>();
        for (AnnotationDescription annotation : method.getDeclaredAnnotations()) {
            if (annotation.getAnnotationType().getName().startsWith(OURS)) {
                found.put(annotation.getAnnotationType().getSimpleName(), attributes(annotation));
            }
        }
        return found;
    }

    /** As far as they are written. */
    private static Map<String, Object> attributes(AnnotationDescription annotation) {
        Map<String, Object> attributes = new LinkedHashMap<>();
        for (MethodDescription.InDefinedShape attribute :
                annotation.getAnnotationType().getDeclaredMethods()) {
            AnnotationValue<?, ?> value = annotation.getValue(attribute);
            AnnotationValue<?, ?> standard = attribute.getDefaultValue();
            if (value != null && !value.equals(standard)) {
                Object resolved = value.resolve();
                attributes.put(
                        attribute.getName(),
                        resolved instanceof EnumerationDescription constant ? constant.getValue() : resolved);
            }
        }
        return attributes;
    }
}

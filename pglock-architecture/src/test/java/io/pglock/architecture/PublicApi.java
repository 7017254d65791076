// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static java.util.stream.Collectors.joining;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.domain.JavaTypeVariable;
import java.lang.annotation.Retention;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What others can call, extend or catch, a line for each signature. What is public below {@code internal} is nobody's. */
final class PublicApi {

    private static final List<JavaModifier> SHOWN = List.of(
            JavaModifier.PUBLIC,
            JavaModifier.PROTECTED,
            JavaModifier.ABSTRACT,
            JavaModifier.STATIC,
            JavaModifier.FINAL);

    private PublicApi() {}

    static List<String> of(PublishedModule module) {
        return module.classes().stream()
                .filter(PublicApi::isPublic)
                .sorted(Comparator.comparing(JavaClass::getName))
                .flatMap(type -> of(type).stream())
                .toList();
    }

    /** The agent's bridge, too, is nobody's: it is called by the code that the agent writes. */
    static boolean isPublic(JavaClass type) {
        return isVisible(type.getModifiers())
                && !type.getPackageName().matches(".*\\.(internal|agent\\.bridge)(\\..*)?")
                && !type.isAnonymousClass()
                && !type.isLocalClass()
                && type.getEnclosingClass().map(PublicApi::isPublic).orElse(true);
    }

    static List<String> of(JavaClass type) {
        List<String> lines = new ArrayList<>();
        lines.add(declaration(type));
        Stream.of(type.getFields(), type.getConstructors(), type.getMethods())
                .flatMap(Collection::stream)
                .filter(member -> isVisible(member.getModifiers()) && !isSynthetic(member.getModifiers()))
                .map(member -> type.getName() + ": " + signature(member))
                .sorted()
                .forEach(lines::add);
        return lines;
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static boolean isSynthetic(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.SYNTHETIC) || modifiers.contains(JavaModifier.BRIDGE);
    }

    private static String declaration(JavaClass type) {
        String kind = type.isAnnotation()
                ? "@interface"
                : type.isInterface() ? "interface" : type.isEnum() ? "enum" : type.isRecord() ? "record" : "class";
        return type.getName() + parameters(type.getTypeParameters()) + ": " + modifiers(type.getModifiers()) + kind
                + type.getSuperclass()
                        .map(PublicApi::name)
                        .filter(parent -> !parent.equals("java.lang.Object"))
                        .map(parent -> " extends " + parent)
                        .orElse("")
                + names(" implements ", type.getInterfaces())
                + annotation(type);
    }

    /** Where it may stand, and how long it lasts: that, too, others rely on. */
    private static String annotation(JavaClass type) {
        return type.isAnnotation()
                ? type.tryGetAnnotationOfType(Target.class)
                                .map(target -> " on " + Arrays.toString(target.value()))
                                .orElse("")
                        + type.tryGetAnnotationOfType(Retention.class)
                                .map(retention -> " until " + retention.value())
                                .orElse("")
                : "";
    }

    private static String signature(JavaMember member) {
        if (member instanceof JavaField field) {
            return modifiers(field.getModifiers()) + name(field.getType()) + " " + field.getName();
        }
        JavaCodeUnit unit = (JavaCodeUnit) member;
        return modifiers(unit.getModifiers())
                + parameters(unit.getTypeParameters())
                + name(unit.getReturnType()) + " " + unit.getName()
                + unit.getParameterTypes().stream().map(PublicApi::name).collect(joining(", ", "(", ")"))
                + names(" throws ", unit.getExceptionTypes())
                + (unit instanceof JavaMethod method ? method.getDefaultValue() : Optional.empty())
                        .map(value -> " default " + value)
                        .orElse("");
    }

    private static String modifiers(Set<JavaModifier> modifiers) {
        return SHOWN.stream()
                .filter(modifiers::contains)
                .map(modifier -> modifier.name().toLowerCase(Locale.ROOT) + " ")
                .collect(joining());
    }

    private static String names(String before, Collection<? extends JavaType> types) {
        return types.isEmpty()
                ? ""
                : types.stream().map(PublicApi::name).sorted().collect(joining(", ", before, ""));
    }

    private static String parameters(List<? extends JavaTypeVariable<?>> variables) {
        return variables.isEmpty()
                ? ""
                : variables.stream()
                        .map(variable -> variable.getName()
                                + Optional.of(variable.getUpperBounds())
                                        .map(bounds -> names(" extends ", bounds))
                                        .filter(bounds -> !bounds.equals(" extends java.lang.Object"))
                                        .orElse(""))
                        .collect(joining(", ", "<", "> "));
    }

    /** As it is written: ArchUnit has arrays as the JVM names them. */
    private static String name(JavaType type) {
        if (type instanceof JavaClass array && array.isArray()) {
            return name(array.getComponentType()) + "[]";
        }
        return type.getName();
    }
}

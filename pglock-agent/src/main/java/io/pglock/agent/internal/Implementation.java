// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Whose body runs when a method is called on an object: the one called may be an interface's. Stateless. */
final class Implementation {

    private Implementation() {}

    /** The called one itself where it cannot be told: two have its bridge's types, or a class that they name is missing. */
    static Method of(Method called, Class<?> target) {
        try {
            return find(called, target);
        } catch (LinkageError e) {
            return called;
        }
    }

    private static Method find(Method called, Class<?> target) {
        List<Class<?>> classes = new ArrayList<>();
        Set<Class<?>> interfaces = new LinkedHashSet<>();
        for (Class<?> at = target; at != null; at = at.getSuperclass()) {
            classes.add(at);
            addInterfaces(at, interfaces);
        }
        for (int i = 0; i < classes.size(); i++) {
            List<Method> same = declared(classes.get(i), called).stream()
                    .filter(method -> sameParameters(method, called))
                    .toList();
            if (!same.isEmpty()) {
                // Where the compiler has made a bridge of it, what that calls has other types, or is inherited.
                return same.stream()
                        .filter(method -> !method.isBridge())
                        .findFirst()
                        .orElse(bridged(classes.subList(i, classes.size()), called));
            }
        }
        List<Method> bodies = interfaces.stream()
                .flatMap(each -> declared(each, called).stream())
                .filter(method -> !method.isBridge() && !Modifier.isAbstract(method.getModifiers()))
                .filter(method -> sameParameters(method, called))
                .toList();
        return bodies.stream()
                .filter(method -> bodies.stream().noneMatch(other -> overrides(other, method)))
                .findFirst()
                .orElse(called);
    }

    private static void addInterfaces(Class<?> of, Set<Class<?>> interfaces) {
        for (Class<?> each : of.getInterfaces()) {
            interfaces.add(each);
            addInterfaces(each, interfaces);
        }
    }

    private static boolean sameParameters(Method one, Method other) {
        return Arrays.equals(one.getParameterTypes(), other.getParameterTypes());
    }

    private static boolean overrides(Method one, Method other) {
        return !one.equals(other) && other.getDeclaringClass().isAssignableFrom(one.getDeclaringClass());
    }

    private static List<Method> declared(Class<?> in, Method like) {
        return Arrays.stream(in.getDeclaredMethods())
                .filter(method -> method.getName().equals(like.getName())
                        && method.getParameterCount() == like.getParameterCount()
                        && !Modifier.isStatic(method.getModifiers()))
                .toList();
    }

    /** Of the nearest class that has one; of two that are as near only the bridge itself knows. */
    private static Method bridged(List<Class<?>> classes, Method called) {
        for (Class<?> each : classes) {
            List<Method> meant = declared(each, called).stream()
                    .filter(method -> !method.isBridge() && takes(method, called))
                    .toList();
            if (!meant.isEmpty()) {
                return meant.size() == 1 ? meant.get(0) : called;
            }
        }
        return called;
    }

    private static boolean takes(Method method, Method called) {
        for (int i = 0; i < method.getParameterCount(); i++) {
            if (!called.getParameterTypes()[i].isAssignableFrom(method.getParameterTypes()[i])) {
                return false;
            }
        }
        return called.getReturnType().isAssignableFrom(method.getReturnType());
    }
}

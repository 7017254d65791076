// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether the classes that targets name have the methods, as far as that can be seen before anything is changed: in classes that
 * are loaded, and in those on the class path. Stateless.
 */
final class NamedMethods {

    private NamedMethods() {}

    /** What they miss. */
    static List<String> missing(AgentSettings settings, Instrumentation instrumentation) {
        Set<String> missing = new LinkedHashSet<>();
        for (Target target : settings.targets()) {
            String name = target.pattern().exactClass().orElse("");
            String internalName = name.replace('.', '/');
            if (name.isEmpty() || target.spec().equals(Spec.NOTHING) || settings.isExcluded(internalName)) {
                continue;
            }
            for (ClassLoader loader : loaders(name, instrumentation)) {
                byte[] file = Weaver.file(loader, internalName);
                if (file.length > 0) {
                    var type = new ClassFile(internalName, loader, file).type();
                    TargetProgress.problem(target, name, MethodWeaving.methods(type), MethodWeaving.superclass(type))
                            .ifPresent(problem -> missing.add(problem + " (target in " + target.source() + ")"));
                }
            }
        }
        return List.copyOf(missing);
    }

    private static List<ClassLoader> loaders(String name, Instrumentation instrumentation) {
        List<ClassLoader> loaders = new ArrayList<>();
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            ClassLoader loader = loaded.getName().equals(name) ? loaded.getClassLoader() : null;
            if (loader != null) {
                loaders.add(loader);
            }
        }
        return loaders.isEmpty() ? List.of(ClassLoader.getSystemClassLoader()) : loaders;
    }
}

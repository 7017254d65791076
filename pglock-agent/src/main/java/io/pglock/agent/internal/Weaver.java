// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sees every class that is loaded, and gives those that are concerned to who changes them. Deciding that takes a look at the
 * name and a search in the bytes: most classes are not concerned, and Byte Buddy is loaded with the first that is.
 * Thread-safe.
 */
final class Weaver implements ClassFileTransformer {

    /** How the descriptors of all of pglock's annotations begin. */
    private static final String OURS = "Lio/pglock/annotation/With";

    private final AgentSettings settings;
    private final Targets targets;
    private final ByteSearch annotations;
    private final Trouble trouble;
    private final Supplier<MethodWeaving> newMethods;
    private volatile @Nullable MethodWeaving methods;

    Weaver(AgentSettings settings, Targets targets, Sites sites, Trouble trouble, Status status, AgentLog log) {
        this.settings = settings;
        this.targets = targets;
        List<String> words = new ArrayList<>(targets.annotationDescriptors());
        words.add(OURS);
        this.annotations = new ByteSearch(words);
        this.trouble = trouble;
        this.newMethods = () -> new MethodWeaving(targets, sites, trouble, status, log);
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            @Nullable String name,
            @Nullable Class<?> redefined,
            @Nullable ProtectionDomain domain,
            byte[] file) {
        if (name == null || loader == null || !serves(loader) || settings.isExcluded(name)) {
            return null;
        }
        try {
            if (DriverWeaving.concerns(name)) {
                return driver(name, loader, file);
            }
            return targets.mayMatchClass(name) || annotations.isIn(file)
                    ? methods().weave(name, loader, file)
                    : null;
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            trouble.unwoven(name.replace('/', '.') + " is not protected", e);
            return null;
        }
    }

    /** Made with the first class that is concerned: it brings Byte Buddy. A second one would do the same. */
    private MethodWeaving methods() {
        MethodWeaving made = methods;
        if (made == null) {
            made = newMethods.get();
            methods = made;
        }
        return made;
    }

    private byte @Nullable [] driver(String name, ClassLoader loader, byte[] file) {
        if (name.startsWith("org/springframework/") && !settings.spring()) {
            return null;
        }
        try {
            return DriverWeaving.weave(name, loader, file);
        } catch (RuntimeException | LinkageError e) {
            trouble.unwoven(name.replace('/', '.') + " cannot be woven, so what uses it is not protected", e);
            return null;
        }
    }

    private static boolean serves(ClassLoader loader) {
        return loader != ClassLoader.getPlatformClassLoader() && !(loader instanceof AgentLoader);
    }

    /** Whether this class, loaded before the agent, is to be looked at once more. */
    boolean concerns(Class<?> loaded) {
        String name = loaded.getName().replace('.', '/');
        ClassLoader loader = loaded.getClassLoader();
        if (loader == null || !serves(loader)) {
            return false;
        }
        return DriverWeaving.concerns(name) || targets.mayMatchClass(name) || annotations.isIn(file(loader, name));
    }

    static byte[] file(ClassLoader loader, String name) {
        try (InputStream in = loader.getResourceAsStream(name + ".class")) {
            return in == null ? new byte[0] : in.readAllBytes();
        } catch (IOException | RuntimeException e) {
            return new byte[0];
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/**
 * Finds the agent's classes under {@code inst/} of its jar, where nobody else looks for classes. The agent itself is loaded by
 * one whose parent is the platform loader; what works through a driver, by one for each driver ({@link #through}).
 * Thread-safe.
 */
public final class AgentLoader extends ClassLoader {

    static {
        registerAsParallelCapable();
    }

    private static final String DATA = "inst/";

    private final JarFile jar;
    private final ProtectionDomain domain;
    private final @Nullable ClassLoader driver;

    private AgentLoader(ClassLoader parent, JarFile jar, ProtectionDomain domain, @Nullable ClassLoader driver) {
        super("pglock", parent);
        this.jar = jar;
        this.domain = domain;
        this.driver = driver;
    }

    /** The agent's own. */
    static AgentLoader of(File file) {
        try {
            JarFile jar = new JarFile(file);
            if (jar.getEntry(DATA + "io/pglock/agent/internal/Agent.classdata") == null) {
                throw new IllegalArgumentException(
                        file + " is not pglock-agent.jar, but something that was made of it");
            }
            CodeSource source = new CodeSource(file.toURI().toURL(), (Certificate[]) null);
            return new AgentLoader(ClassLoader.getPlatformClassLoader(), jar, new ProtectionDomain(source, null), null);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read", e);
        }
    }

    /**
     * One whose classes work through a driver: it has its own copy of pglock-core and of what uses that, takes the rest of the
     * agent from this one, and the driver from its loader.
     */
    public AgentLoader through(ClassLoader driver) {
        return new AgentLoader(this, jar, domain, driver);
    }

    private static boolean worksThroughADriver(String name) {
        return name.startsWith("io.pglock.")
                && (!name.startsWith("io.pglock.agent.") || name.startsWith("io.pglock.agent.internal.driver."))
                && !name.startsWith("io.pglock.annotation.");
    }

    /** The class file of one of the agent's classes. */
    public byte[] classFile(String name) throws ClassNotFoundException {
        byte @Nullable [] found = read(name.replace('.', '/') + ".class");
        if (found == null) {
            throw new ClassNotFoundException(name);
        }
        return found;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (name.equals(AgentLoader.class.getName())) {
            return AgentLoader.class; // not a copy of it
        }
        if (driver == null || !worksThroughADriver(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name, classFile(name)) : loaded;
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (driver != null) {
            return driver.loadClass(name);
        }
        return define(name, classFile(name));
    }

    private Class<?> define(String name, byte[] file) {
        return defineClass(name, file, 0, file.length, domain);
    }

    private byte @Nullable [] read(String path) {
        ZipEntry entry = jar.getEntry(DATA + path.replaceFirst("\\.class$", ".classdata"));
        if (entry == null) {
            return null;
        }
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(jar.getName() + " cannot be read any more", e);
        }
    }

    /** Byte Buddy reads class files as resources. */
    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        byte @Nullable [] found = read(name);
        return found == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(found);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import java.io.File;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/** Another class path than the test has, and an application on it. */
class ClassPath extends URLClassLoader {

    /** @param isThere of a file's name, or a module's: {@code flyway-core-11.7.2.jar}, {@code pglock-flyway} */
    ClassPath(Predicate<String> isThere) {
        super(
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                        .map(Path::of)
                        .filter(path -> isThere.test(name(path)))
                        .map(ClassPath::url)
                        .toArray(URL[]::new),
                ClassLoader.getPlatformClassLoader());
    }

    static ClassPath without(String... parts) {
        return new ClassPath(name -> Arrays.stream(parts).noneMatch(name::contains));
    }

    /** Of {@code pglock-flyway/target/classes} the module's. */
    private static String name(Path path) {
        Path named = Files.isDirectory(path)
                ? path.toAbsolutePath().normalize().getParent().getParent()
                : path;
        return String.valueOf(named.getFileName());
    }

    private static URL url(Path path) {
        try {
            return path.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(path.toString(), e);
        }
    }

    /** The application's context: its classes are not those of the test. */
    AutoCloseable start(List<String> arguments) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(this);
        try {
            Class<?> shop = loadClass(Shop.class.getName());
            Method start = shop.getDeclaredMethod("start", Class.class, String[].class);
            start.setAccessible(true);
            return (AutoCloseable) start.invoke(null, shop, arguments.toArray(String[]::new));
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}

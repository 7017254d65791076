// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.say;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;

/** An application server: three parts of an application, each in a class loader that has a driver of its own. */
public final class Loaders {

    private Loaders() {}

    /** @param arguments URL, user, password, a driver, and another one */
    public static void main(String[] arguments) throws Exception {
        URL classes = Inside.class.getProtectionDomain().getCodeSource().getLocation();
        String[] means = Arrays.copyOf(arguments, 3);
        say("class path", Inside.show(means[0], means[1], means[2]));
        try (URLClassLoader isolated = new URLClassLoader(
                        new URL[] {classes, url(arguments[3])}, ClassLoader.getPlatformClassLoader());
                URLClassLoader childFirst = new ChildFirst(classes, url(arguments[4]))) {
            say("isolated", show(isolated, means));
            say("child first", show(childFirst, means));
            say("isolated again", show(isolated, means));
            say("child first, on a connection of the class path's driver", handed(childFirst, means));
        }
        say("done", "");
    }

    private static URL url(String file) throws IOException {
        return Path.of(file).toUri().toURL();
    }

    private static Object show(ClassLoader loader, String... means) throws ReflectiveOperationException {
        Class<?> inside = loader.loadClass("com.acme.weaving.Inside");
        if (inside == Inside.class) {
            throw new IllegalStateException("it is the same class");
        }
        return inside.getMethod("show", String.class, String.class, String.class)
                .invoke(null, (Object[]) means);
    }

    /** A pool of the server's, and a driver that the application has brought all the same. */
    private static Object handed(ClassLoader loader, String... means)
            throws ReflectiveOperationException, SQLException {
        try (Connection connection = DriverManager.getConnection(means[0], means[1], means[2])) {
            return loader.loadClass("com.acme.weaving.Inside")
                    .getMethod("handed", Connection.class)
                    .invoke(null, connection);
        }
    }

    /** As web applications have it. */
    private static final class ChildFirst extends URLClassLoader {
        ChildFirst(URL... urls) {
            super(urls, Loaders.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded != null) {
                    return loaded;
                }
                try {
                    return findClass(name);
                } catch (ClassNotFoundException | SecurityException e) {
                    return super.loadClass(name, resolve);
                }
            }
        }
    }
}

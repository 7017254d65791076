// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.io.File;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Class paths of programs that know nothing of pglock. */
final class ClassPath {

    private ClassPath() {}

    /** These classes of the test, and the jars of its class path whose names begin so. */
    static String of(String... jars) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> isOwn(entry) || Arrays.stream(jars).anyMatch(new File(entry).getName()::startsWith))
                .collect(Collectors.joining(File.pathSeparator));
    }

    static boolean isOwn(String entry) {
        return new File(entry, ClassPath.class.getName().replace('.', File.separatorChar) + ".class").exists();
    }
}

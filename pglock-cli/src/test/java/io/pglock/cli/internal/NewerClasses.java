// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * A program that gives the picocli in the command's jar the class file format of Java 8, with what its verifier wants. picocli's is
 * that of Java 5, which the JVM does not archive, so that every start would read, check and link two hundred classes again: a
 * tenth of a second. The build runs it.
 */
final class NewerClasses {

    private static final String PICOCLI = "picocli/";

    private NewerClasses() {}

    /** @param jars each is replaced; entries keep their order and time, so the same jar always gives the same one */
    public static void main(String... jars) throws IOException {
        for (String jar : jars) {
            Path file = Path.of(jar);
            Path made = Path.of(jar + ".new");
            try (JarFile old = new JarFile(file.toFile());
                    URLClassLoader classes = new URLClassLoader(new URL[] {url(file)}, null);
                    JarOutputStream out = new JarOutputStream(Files.newOutputStream(made))) {
                for (JarEntry entry : Collections.list(old.entries())) {
                    JarEntry copy = new JarEntry(entry.getName());
                    copy.setLastModifiedTime(entry.getLastModifiedTime());
                    out.putNextEntry(copy);
                    byte[] content = old.getInputStream(entry).readAllBytes();
                    boolean picocli = entry.getName().startsWith(PICOCLI)
                            && entry.getName().endsWith(".class");
                    out.write(picocli ? newer(content, classes) : content);
                    out.closeEntry();
                }
            }
            Files.move(made, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static byte[] newer(byte[] content, ClassLoader classes) {
        ClassReader reader = new ClassReader(content);
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected ClassLoader getClassLoader() {
                return classes;
            }
        };
        reader.accept(
                new ClassVisitor(Opcodes.ASM9, writer) {
                    @Override
                    public void visit(
                            int version,
                            int access,
                            String name,
                            @Nullable String signature,
                            @Nullable String parent,
                            String @Nullable [] interfaces) {
                        super.visit(Math.max(version, Opcodes.V1_8), access, name, signature, parent, interfaces);
                    }
                },
                ClassReader.SKIP_FRAMES);
        return writer.toByteArray();
    }

    private static URL url(Path file) throws MalformedURLException {
        return file.toUri().toURL();
    }
}

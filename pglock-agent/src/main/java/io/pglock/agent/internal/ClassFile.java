// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static net.bytebuddy.matcher.ElementMatchers.is;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.util.List;
import java.util.Map;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.AsmVisitorWrapper;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.scaffold.MethodGraph;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;

/** A class that is being loaded, and the same with advice. Immutable. */
final class ClassFile {

    private static final ByteBuddy BYTE_BUDDY =
            new ByteBuddy().with(TypeValidation.DISABLED).with(MethodGraph.Compiler.ForDeclaredMethods.INSTANCE);

    private final ClassFileLocator locator;
    private final TypeDescription type;

    ClassFile(String name, @Nullable ClassLoader loader, byte[] file) {
        String type = name.replace('/', '.');
        this.locator = new ClassFileLocator.Compound(
                ClassFileLocator.Simple.of(type, file),
                ClassFileLocator.ForClassLoader.of(loader),
                new OurAnnotations());
        this.type =
                TypePool.Default.WithLazyResolution.of(locator).describe(type).resolve();
    }

    /** Of pglock's annotations, for an application that was compiled with them and runs without their classes. */
    private static final class OurAnnotations implements ClassFileLocator {

        private static final String PACKAGE = "io.pglock.annotation.";

        private final ClassFileLocator ours = ClassFileLocator.ForClassLoader.of(ClassFile.class.getClassLoader());

        @Override
        public Resolution locate(String name) throws IOException {
            return name.startsWith(PACKAGE) ? ours.locate(name) : new Resolution.Illegal(name);
        }

        @Override
        public void close() {}
    }

    /** What it declares; other classes that it names are read only when they are asked about. */
    TypeDescription type() {
        return type;
    }

    /** A method, and what comes around it. */
    record Advised(MethodDescription.InDefinedShape method, Advice advice) {

        /** With these arguments of the method where the advice has these annotations. */
        static Advised withArguments(
                MethodDescription.InDefinedShape method,
                Class<?> advice,
                Map<Class<? extends Annotation>, Integer> arguments) {
            Advice.WithCustomMapping mapping = Advice.withCustomMapping();
            for (Map.Entry<Class<? extends Annotation>, Integer> each : arguments.entrySet()) {
                mapping = mapping.bind(
                        each.getKey(),
                        new Advice.OffsetMapping.ForArgument.Unresolved(
                                method.getParameters().get(each.getValue()).getType(),
                                true,
                                Assigner.Typing.STATIC,
                                each.getValue()));
            }
            return new Advised(method, mapping.to(advice));
        }

        /** What begins with one and ends with the other. */
        static Advised between(MethodDescription.InDefinedShape method, Class<?> enter, Class<?> exit) {
            return new Advised(method, Advice.to(enter, exit));
        }

        /** The same, with this number where the advice has this annotation. */
        static Advised between(
                MethodDescription.InDefinedShape method,
                Class<?> enter,
                Class<?> exit,
                Class<? extends Annotation> annotation,
                int number) {
            return new Advised(
                    method,
                    Advice.withCustomMapping().bind(annotation, (Object) number).to(enter, exit));
        }
    }

    /** The class with this advice. */
    byte[] with(List<Advised> advised) {
        DynamicType.Builder<?> builder = BYTE_BUDDY.decorate(type, locator);
        for (Advised each : advised) {
            builder =
                    builder.visit(new AsmVisitorWrapper.ForDeclaredMethods().method(is(each.method()), each.advice()));
        }
        try (DynamicType.Unloaded<?> made = builder.make(TypePool.Default.WithLazyResolution.of(locator))) {
            return made.getBytes();
        }
    }
}

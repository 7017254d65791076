// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each module's API is written down in a file beside its POM: what changes it shows there, in the change that does it. */
class PublicApiTest {

    private static final String ACCEPT =
            "If that is meant: mvn -q -Dquick -pl pglock-architecture -am test -Dtest=PublicApiTest"
                    + " -Dsurefire.failIfNoSpecifiedTests=false -Dpglock.api=write";

    @ParameterizedTest
    @EnumSource
    void isAsWrittenDown(PublishedModule module) throws IOException {
        Path file = module.folder().resolve("api.txt");
        List<String> is = PublicApi.of(module);
        assertThat(is).hasSizeGreaterThan(1);
        if (System.getProperty("pglock.api", "").equals("write")) {
            Files.write(file, is);
        }
        List<String> was = Files.readAllLines(file);

        assertThat(changes(was, is)).as("%s\n%s", file, ACCEPT).isEmpty();
    }

    private static List<String> changes(List<String> was, List<String> is) {
        List<String> gone = was.stream()
                .filter(line -> !is.contains(line))
                .map(line -> "gone: " + line)
                .toList();
        List<String> come = is.stream()
                .filter(line -> !was.contains(line))
                .map(line -> "new: " + line)
                .toList();
        return Stream.of(gone, come).flatMap(List::stream).toList();
    }

    public abstract static class Planted<T extends Number> implements AutoCloseable {

        public static final int COUNT = 1;

        protected Planted(T[] many) {}

        public abstract <R> List<? super R> listed(Supplier<R> supplier, int... numbers) throws IOException;

        void unseen() {}

        private static final class Hidden {}
    }

    @Test
    void aSignatureIsWrittenWithAllThatCanChangeInIt() {
        assertThat(PublicApi.of(new ClassFileImporter().importClass(Planted.class)))
                .map(line -> line.replace(PublicApiTest.class.getName(), "Test"))
                .containsExactlyInAnyOrder(
                        "Test$Planted<T extends java.lang.Number> : public abstract static class implements java.lang.AutoCloseable",
                        "Test$Planted: public static final int COUNT",
                        "Test$Planted: protected void <init>(T[])",
                        "Test$Planted: public abstract <R> java.util.List<? super R> listed(java.util.function.Supplier<R>, int[])"
                                + " throws java.io.IOException");
    }

    @Test
    void whatIsNotSeenIsNoApi() {
        assertThat(PublicApi.isPublic(new ClassFileImporter().importClass(Planted.Hidden.class)))
                .isFalse();
    }

    @Test
    void whatComesAndWhatGoesIsSaid() {
        assertThat(changes(List.of("a", "b"), List.of("b", "c"))).containsExactly("gone: a", "new: c");
    }
}

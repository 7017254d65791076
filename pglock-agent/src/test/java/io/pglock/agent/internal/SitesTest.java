// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SitesTest {

    private static final Duration LONGEST = Duration.ofSeconds(20);

    private final Sites sites = new Sites();

    private Site register(ClassLoader loader, String method) {
        return sites.register(
                loader,
                Sites.key("com.acme.Job", method, "()V"),
                id -> new Site(
                        id,
                        loader,
                        "com.acme.Job." + method,
                        Spec.parse(Map.of()),
                        SkipValue.NONE,
                        Optional.empty(),
                        Counters.ofAll()));
    }

    @Test
    void aMethodThatIsWovenAnewIsTheSameSite() {
        ClassLoader loader = new URLClassLoader(new URL[0]);

        Site site = register(loader, "run");

        assertThat(register(loader, "run")).isSameAs(site);
        assertThat(sites.get(site.id())).isSameAs(site);
        assertThat(sites.find(loader, Sites.key("com.acme.Job", "run", "()V"))).contains(site);
        assertThat(sites.find(loader, Sites.key("com.acme.Job", "run", "(I)V"))).isEmpty();
    }

    @Test
    void theSameNameInAnotherClassLoaderIsAnother() {
        Site one = register(new URLClassLoader(new URL[0]), "run");
        ClassLoader loader = new URLClassLoader(new URL[0]);
        Site other = register(loader, "run");

        assertThat(other.id()).isNotEqualTo(one.id());
        assertThat(sites.find(loader, Sites.key("com.acme.Job", "run", "()V"))).contains(other);
    }

    @Test
    void thereIsRoomForManyAndEachHasItsOwnNumber() {
        ClassLoader loader = new URLClassLoader(new URL[0]);
        Set<Integer> ids = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            ids.add(register(loader, "run" + i).id());
        }

        assertThat(ids).hasSize(1000);
        for (int i = 0; i < 1000; i++) {
            Site site = register(loader, "run" + i);
            assertThat(sites.get(site.id())).isSameAs(site);
            assertThat(site.name()).isEqualTo("com.acme.Job.run" + i);
        }
    }

    /** An application that is deployed anew every hour needs no more numbers than it has methods. */
    @Test
    void whatIsLeftOfAClassLoaderThatIsGoneMakesRoom() {
        ClassLoader stays = new URLClassLoader(new URL[0]);
        Site kept = register(stays, "run");
        int most = deployAndForget();
        long until = System.nanoTime() + LONGEST.toNanos();
        while (register(new URLClassLoader(new URL[0]), "again").id() > most) {
            assertThat(System.nanoTime())
                    .as("a class loader that nobody has any more is collected")
                    .isLessThan(until);
            System.gc();
        }

        assertThat(register(stays, "run")).isSameAs(kept);
        assertThat(sites.get(kept.id())).isSameAs(kept);
    }

    /** @return the highest number that it has */
    private int deployAndForget() {
        ClassLoader goes = new URLClassLoader(new URL[0]);
        int most = 0;
        for (int i = 0; i < 100; i++) {
            most = Math.max(most, register(goes, "run" + i).id());
        }
        return most;
    }
}

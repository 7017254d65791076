// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.acme.weaving.Generic;
import io.pglock.agent.internal.AgentLog.Threshold;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What becomes of a class, and what is said of the targets that name it. */
class MethodWeavingTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final AgentLog log = new AgentLog(Threshold.INFO, new PrintStream(bytes, true, StandardCharsets.UTF_8));

    /** Whether the class is changed, and why the last target guards nothing. */
    private record Woven(boolean changed, Optional<String> problem) {}

    private final Sites sites = new Sites();

    private Woven weave(String arguments) throws IOException {
        return weave(arguments, false);
    }

    private Woven weave(String arguments, boolean fails) throws IOException {
        AgentSettings settings = AgentSettings.of(arguments, Map.of(), Map.of(), Path.of(""));
        assertThat(settings.mistakes()).isEmpty();
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        Status status = new Status("1.2.3", settings, targets.progress());
        MethodWeaving weaving =
                new MethodWeaving(targets, sites, new Trouble(log, status.counters(), fails), status, log);
        String name = Generic.class.getName().replace('.', '/');
        ClassLoader loader = Generic.class.getClassLoader();
        try (InputStream file = Objects.requireNonNull(loader.getResourceAsStream(name + ".class"))) {
            boolean changed = weaving.weave(name, loader, file.readAllBytes()) != null;
            int last = settings.targets().size() - 1;
            return new Woven(changed, targets.progress().states().get(last).problem());
        }
    }

    private String said() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aMethodThatOnlyTheCompilerHasWrittenIsNone() throws IOException {
        Woven woven = weave("target=com.acme.weaving.Generic#accept(Object);lockTimeout=1s");

        String problem =
                "com.acme.weaving.Generic has no method accept(Object); it has accept(com.acme.weaving.Generic)";
        assertThat(woven).isEqualTo(new Woven(false, Optional.of(problem)));
        assertThat(said()).contains(problem);
    }

    /** Of a class that could not be looked at before. */
    @Test
    void withOnErrorFailNoMethodRunsOfAClassThatDoesNotHaveTheOneThatWasNamed() throws IOException {
        Woven woven = weave("target=com.acme.weaving.Generic#acept;lockTimeout=1s", true);

        String problem = "com.acme.weaving.Generic has no method acept; did you mean accept?";
        assertThat(woven).isEqualTo(new Woven(true, Optional.of(problem)));
        assertThat(sites.all())
                .isNotEmpty()
                .allSatisfy(site -> assertThat(site.refusal())
                        .hasValueSatisfying(why -> assertThat(why).startsWith("pglock: " + problem)));
    }

    @Test
    void withOnErrorFailNothingGuardedRunsOnceAClassCannotBeWoven() {
        AgentSettings settings =
                AgentSettings.of("target=com.acme.Broken#run;lockTimeout=1s", Map.of(), Map.of(), Path.of(""));
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        Status status = new Status("1.2.3", settings, targets.progress());
        Trouble trouble = new Trouble(log, status.counters(), true);

        new Weaver(settings, targets, sites, trouble, status, log)
                .transform(Generic.class.getClassLoader(), "com/acme/Broken", null, null, new byte[] {1, 2, 3});

        assertThat(trouble.broken())
                .hasValueSatisfying(why -> assertThat(why).startsWith("com.acme.Broken is not protected: "));
    }

    @Test
    void aTargetThatIsLeftWithNothingHasNotMissedItsClass() throws IOException {
        Woven woven = weave("target=com.acme.weaving.Generic#accept(com.acme.weaving.Generic);lockTimeout=1s;"
                + "target=com.acme.weaving.Generic#accept;lockTimeout=2s");

        assertThat(woven)
                .isEqualTo(new Woven(
                        true, Optional.of("a more specific target has its methods, or the log says why not")));
    }

    @Test
    void aTargetThatIsSwitchedOffDoesNothing() throws IOException {
        Woven woven = weave("target=com.acme.weaving.Generic#accept;advisory=nightly;table=orders;enabled=false");

        assertThat(woven).isEqualTo(new Woven(false, Optional.of("it is switched off (enabled=false)")));
        assertThat(said()).isEmpty();
    }
}

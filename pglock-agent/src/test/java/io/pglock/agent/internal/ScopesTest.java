// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pglock.agent.bridge.PgLockBridge;
import io.pglock.agent.internal.AgentLog.Threshold;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A method's end that comes to grief: there is no other end, so everything is let go of in it. */
class ScopesTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final AgentLog log = new AgentLog(Threshold.INFO, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    private final AgentSettings settings =
            AgentSettings.of("target=com.acme.Job#run;lockTimeout=1s", Map.of(), Map.of(), Path.of(""));
    private final Status status =
            new Status("1.2.3", settings, new Targets(settings.targets(), settings.defaults(), log).progress());
    private final Sites sites = new Sites();
    private final Scopes scopes = new Scopes(
            "",
            sites,
            new Trouble(log, status.counters(), false),
            log,
            status,
            new StatusPublication(status, log),
            true);

    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger released = new AtomicInteger();

    @AfterEach
    void forget() {
        System.clearProperty(StatusPublication.PROPERTY);
    }

    private Scope enter(Error atItsEnd, Error atARetry) {
        Site site = sites.register(
                getClass().getClassLoader(),
                "run",
                id -> new Site(
                        id,
                        getClass().getClassLoader(),
                        "com.acme.Job.run",
                        settings.targets().get(0).spec(),
                        SkipValue.NONE,
                        Optional.empty(),
                        status.counters("com.acme.Job.run")));
        Scope scope = (Scope) scopes.enter(site.id());
        assertThat(scope).isNotNull();
        scope.part(new Broken(atItsEnd, atARetry));
        scope.holdsLock(new Held(), new Place(new Broken(atItsEnd, atARetry), null, "shop"), false);
        return scope;
    }

    @Test
    void aBodyWhoseConnectionsCannotBePutRightLetsGoOfItsLockAndIsNotHarmed() {
        int armed = PgLockBridge.armed;
        for (Error trouble : new Error[] {new StackOverflowError(), new InternalError(), new NoClassDefFoundError()}) {
            assertThat(scopes.exit(enter(trouble, trouble), null)).isFalse();
        }

        assertThat(released).hasValue(3);
        assertThat(closed).hasValue(3);
        assertThat(PgLockBridge.armed).isEqualTo(armed);
    }

    @Test
    void anEndThatThrowsLetsGoOfItsLock() {
        int armed = PgLockBridge.armed;
        InternalError trouble = new InternalError();
        Scope scope = enter(new StackOverflowError(), trouble);

        assertThat(catchThrowable(() -> scopes.exit(scope, new IllegalStateException("of the body"))))
                .isSameAs(trouble);

        assertThat(released).hasValue(1);
        assertThat(closed).hasValue(1);
        assertThat(PgLockBridge.armed).isEqualTo(armed);
    }

    /** Whoever is in no guarded method is not to be told by an exception. */
    @Test
    void whatFailsInTheAgentItselfKeepsNoConnectionFromTheApplication() {
        Object driver = Proxy.newProxyInstance(
                new ClassLoader(getClass().getClassLoader()) {
                    @Override
                    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                        if (name.equals("org.postgresql.Driver")) {
                            throw new StackOverflowError();
                        }
                        return super.loadClass(name, resolve);
                    }
                },
                new Class<?>[] {Runnable.class},
                (proxy, method, arguments) -> null);

        assertThatCode(() -> scopes.connected(driver, "jdbc:postgresql:shop", new Properties(), new Object()))
                .doesNotThrowAnyException();
        assertThatCode(() -> scopes.connected(driver, "jdbc:postgresql:shop", new Properties(), new Object()))
                .doesNotThrowAnyException();

        assertThat(status.getFailures()).isEqualTo(2);
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .singleElement()
                .asString()
                .contains("a connection: java.lang.StackOverflowError");
    }

    private final class Held implements HeldLock {

        @Override
        public boolean isHeld() {
            return true;
        }

        @Override
        public void release() {
            released.incrementAndGet();
        }
    }

    /** Of a driver with which nothing ends well. */
    private final class Broken implements Realm, Realm.Part {
        private final Error atItsEnd;
        private final Error atARetry;

        Broken(Error atItsEnd, Error atARetry) {
            this.atItsEnd = atItsEnd;
            this.atARetry = atARetry;
        }

        @Override
        public void ended() {
            throw atItsEnd;
        }

        @Override
        public boolean comesBack(Throwable thrown) {
            throw atARetry;
        }

        @Override
        public void close() {
            closed.incrementAndGet();
            throw atItsEnd;
        }

        @Override
        public Part partOf(Scope scope) {
            return this;
        }

        @Override
        public void lock() {}

        @Override
        public void lockAt(Place place, boolean presumed) {}

        @Override
        public boolean tryLockAt(Place place, boolean presumed) {
            return true;
        }

        @Override
        public @Nullable String explain(Throwable thrown) {
            return null;
        }

        @Override
        public @Nullable Object before(Object executor, @Nullable Object what, int flags, @Nullable Scope scope) {
            return null;
        }

        @Override
        public void after(Object statement, @Nullable Object result, @Nullable Throwable thrown) {}

        @Override
        public void owns(Object connection, @Nullable Object executor) {}

        @Override
        public void connected(
                Object driver,
                @Nullable String url,
                @Nullable Properties properties,
                Object connection,
                @Nullable Scope scope) {}

        @Override
        public boolean knowsWhereToLock(Scope scope) {
            return true;
        }

        @Override
        public String describe() {
            return "broken";
        }
    }
}

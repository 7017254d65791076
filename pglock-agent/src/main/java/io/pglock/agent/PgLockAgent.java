// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import io.pglock.agent.internal.Attach;
import java.io.File;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The door of the agent. It may come with the JVM ({@code java -javaagent:pglock-agent.jar=...}), later from another process
 * ({@code java -jar pglock-agent.jar PID [settings]}), or from the application itself ({@link #attach}); coming twice is
 * harmless: the first one stays as it is. Everything else is in a class loader of its own. Thread-safe.
 *
 * <p>What does not work is said on {@code System.err}, and the application goes on; with {@code onError=fail} it does not
 * start.
 *
 * {@snippet :
 * PgLockAgent.attach("target=com.acme.Migrator#run;lockTimeout=3s;prioritize=terminate");
 * }
 *
 * @see java.lang.instrument
 */
public final class PgLockAgent {

    private static final Pattern ON_ERROR =
            Pattern.compile("(?:^|;)\\s*(?:pglock\\.)?on-?[eE]rror\\s*=\\s*([^;]*?)\\s*(?:;|$)");

    private PgLockAgent() {}

    /**
     * Called by the JVM before {@code main}.
     *
     * @param arguments {@code key=value;key=value}, or null
     * @throws IllegalStateException only with {@code onError=fail}: the JVM ends
     */
    public static void premain(@Nullable String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation, false);
    }

    /**
     * Called by the JVM when the agent is attached to it.
     *
     * @param arguments as for {@link #premain}; {@code status} prints what an agent that is there already does
     * @throws IllegalStateException with {@code onError=fail}; and when it has come before, and is told something else now or
     *     could not start then
     */
    public static void agentmain(@Nullable String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation, true);
    }

    /**
     * Attaches the agent to this JVM. It needs the module {@code jdk.attach}, and a JVM that was not told {@code
     * -XX:-EnableDynamicAgentLoading}; since JDK 21 the JVM warns about it.
     *
     * @param arguments as for {@link #premain}
     * @throws IllegalStateException when the JVM refuses, or the agent does: it is there already and was told something else
     */
    public static void attach(String arguments) {
        attach(String.valueOf(ProcessHandle.current().pid()), arguments);
    }

    /**
     * Attaches the agent to another JVM: {@code java -jar pglock-agent.jar PID [settings]}.
     *
     * @param arguments the process id, and settings as for {@link #premain}
     */
    public static void main(String[] arguments) {
        if (arguments.length == 0 || arguments.length > 2 || !arguments[0].matches("\\d+")) {
            System.err.println("usage: java -jar pglock-agent.jar PID [key=value;key=value | status]\n"
                    + "   or: java -javaagent:pglock-agent.jar[=key=value;key=value] ...");
            System.exit(1);
        }
        try {
            attach(arguments[0], arguments.length == 2 ? arguments[1] : handedOver());
        } catch (IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    /** By a JVM that attaches the agent to itself. The name alone is known here, by the compiler: its class is where nobody looks. */
    private static String handedOver() {
        return System.getenv().getOrDefault(Attach.ARGUMENTS, "");
    }

    private static void attach(String pid, String arguments) {
        try {
            File jar = new File(jarOfItsOwn());
            call(AgentLoader.of(jar), "io.pglock.agent.internal.Attach", "to", pid, jar, arguments);
        } catch (ReflectiveOperationException | URISyntaxException | RuntimeException e) {
            Throwable cause = root(e);
            throw cause instanceof IllegalStateException told
                    ? told
                    : new IllegalStateException("pglock cannot be attached to " + pid + ": " + cause, cause);
        }
    }

    /** The simplest that can go wrong: whatever leaves this method ends the JVM. */
    private static void start(@Nullable String arguments, Instrumentation instrumentation, boolean attached) {
        try {
            if (again(arguments, attached)) {
                return;
            }
            call(
                    AgentLoader.of(new File(jar())),
                    "io.pglock.agent.internal.Agent",
                    "start",
                    String.valueOf(arguments == null ? "" : arguments),
                    instrumentation);
        } catch (Throwable e) {
            Throwable cause = root(e);
            if (cause instanceof IllegalStateException wanted) {
                throw wanted;
            }
            if (mustStart(arguments)) {
                throw new IllegalStateException("pglock: not started, because onError=fail: " + cause, cause);
            }
            System.err.println("pglock: the agent cannot start, and protects nothing: " + cause);
        }
    }

    /** As far as that is known where the settings could not be read; the nearer place has the last word, as in those. */
    private static boolean mustStart(@Nullable String arguments) {
        Matcher told = ON_ERROR.matcher(String.valueOf(arguments));
        String onError = told.find()
                ? told.group(1)
                : System.getProperty("pglock.onError", String.valueOf(System.getenv("PGLOCK_ON_ERROR")));
        return onError.equals("fail");
    }

    /** Whoever attaches it is told if he gets nothing of what he asks for; an application starts all the same. */
    private static boolean again(@Nullable String arguments, boolean attached) throws ReflectiveOperationException {
        Class<?> bridge;
        try {
            bridge = Class.forName("io.pglock.agent.bridge.PgLockBridge", true, null);
        } catch (ClassNotFoundException notYet) {
            return false;
        }
        try {
            System.err.print(bridge.getMethod("again", String.class).invoke(null, arguments));
        } catch (InvocationTargetException e) {
            if (attached) {
                throw e;
            }
            System.err.println(root(e).getMessage());
        }
        return true;
    }

    private static void call(ClassLoader loader, String type, String method, Object... arguments)
            throws ReflectiveOperationException {
        for (var candidate : Class.forName(type, true, loader).getMethods()) {
            if (candidate.getName().equals(method)) {
                candidate.invoke(null, arguments);
                return;
            }
        }
        throw new NoSuchMethodException(type + "." + method);
    }

    private static Throwable root(Throwable e) {
        return e instanceof InvocationTargetException && e.getCause() != null ? e.getCause() : e;
    }

    private static URI jar() throws URISyntaxException {
        return PgLockAgent.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI();
    }

    private static URI jarOfItsOwn() throws URISyntaxException {
        URI jar = jar();
        if (!"file".equals(jar.getScheme())) {
            throw new IllegalStateException("pglock cannot be attached: the agent is inside another jar, " + jar
                    + ", and a JVM takes an agent only from a jar of its own. Put pglock-agent.jar beside the application,"
                    + " and run java -jar pglock-agent.jar PID, or start with -javaagent:pglock-agent.jar");
        }
        return jar;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;

/** A Tomcat whose web application is deployed over and over, and says what is left of all of them. */
final class TomcatHost {

    private final Tomcat tomcat = new Tomcat();
    private final HttpClient client = HttpClient.newHttpClient();
    private final ReferenceQueue<ClassLoader> collected = new ReferenceQueue<>();
    private final Set<Reference<? extends ClassLoader>> loaders = new HashSet<>();
    private final String webApplication;
    private final String database;
    private final long longestSeconds;

    private TomcatHost(String webApplication, String database, long longestSeconds) {
        this.webApplication = webApplication;
        this.database = database;
        this.longestSeconds = longestSeconds;
    }

    /**
     * @param arguments the folder of the web application, how often, for how many seconds what is left of it may be there, and
     *     the database's URL, user and password, or words of the servlet's own
     */
    public static void main(String[] arguments) {
        try {
            new TomcatHost(
                            arguments[0],
                            String.join(" ", List.of(arguments).subList(3, arguments.length)),
                            Long.parseLong(arguments[2]))
                    .run(Integer.parseInt(arguments[1]));
        } catch (Exception e) {
            e.printStackTrace(System.out);
            System.exit(1); // past Tomcat's threads
        }
    }

    private void run(int generations) throws Exception {
        Path base = Files.createTempDirectory(Path.of("."), "tomcat");
        tomcat.setBaseDir(base.toString());
        tomcat.setPort(0);
        tomcat.getConnector();
        tomcat.getHost();
        tomcat.start();
        TreeMap<String, Integer> answers = new TreeMap<>();
        for (int i = 0; i < generations; i++) {
            answers.merge(deployAskAndUndeploy(), 1, Integer::sum);
        }
        System.out.println("answers: " + answers);
        System.out.println("class loaders left: " + left());
        System.out.println("threads: "
                + Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .filter(name -> name.startsWith("pglock") || name.startsWith("PostgreSQL"))
                        .sorted()
                        .collect(Collectors.joining(", ")));
        System.in.read();
        tomcat.stop();
    }

    private String deployAskAndUndeploy() throws Exception {
        Context context = deploy();
        String answer = client.send(
                        HttpRequest.newBuilder(URI.create("http://localhost:"
                                        + tomcat.getConnector().getLocalPort() + "/"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        loaders.add(new WeakReference<>(context.getLoader().getClassLoader(), collected));
        tomcat.getHost().removeChild(context);
        return answer;
    }

    private Context deploy() throws LifecycleException {
        StandardContext context = new StandardContext();
        context.setPath("");
        context.setDocBase(webApplication);
        context.addLifecycleListener(new Tomcat.FixContextListener());
        context.addParameter("database", database);
        Tomcat.addServlet(context, "stock", StockServlet.class.getName()).addMapping("/");
        tomcat.getHost().addChild(context);
        return context;
    }

    /** After as long as it takes until there is none, with a bound. */
    private long left() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(longestSeconds);
        System.gc();
        while (!loaders.isEmpty() && System.nanoTime() < end) {
            Reference<? extends ClassLoader> gone =
                    collected.remove(1_000); // or until it is time for another collection
            if (gone == null) {
                System.gc();
            } else {
                loaders.remove(gone);
            }
        }
        return loaders.size();
    }
}

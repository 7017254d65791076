// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;

/** A Tomcat whose web application is deployed over and over, and says what is left of all of them. */
final class TomcatHost {

    private static final long LONGEST_MILLIS = 60_000;

    private final Tomcat tomcat = new Tomcat();
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    private final String webApplication;
    private final String database;

    private TomcatHost(String webApplication, String database) {
        this.webApplication = webApplication;
        this.database = database;
    }

    /** @param arguments the folder of the web application, how often, and the database's URL, user and password */
    public static void main(String[] arguments) {
        try {
            new TomcatHost(arguments[0], arguments[2] + " " + arguments[3] + " " + arguments[4])
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
        long begun = System.nanoTime();
        TreeMap<String, Integer> answers = new TreeMap<>();
        for (int i = 0; i < generations; i++) {
            answers.merge(deployAskAndUndeploy(), 1, Integer::sum);
        }
        System.out.println("answers: " + answers);
        System.out.println("redeploying took: " + (System.nanoTime() - begun) / 1_000_000 + " ms");
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
        loaders.add(new WeakReference<>(context.getLoader().getClassLoader()));
        tomcat.getHost().removeChild(context);
        return answer;
    }

    private Context deploy() throws LifecycleException {
        StandardContext context = new StandardContext();
        context.setPath("");
        context.setDocBase(webApplication);
        context.addLifecycleListener(new Tomcat.FixContextListener());
        context.addParameter("database", database);
        Tomcat.addServlet(context, "stock", StockServlet.class.getName());
        context.addServletMappingDecoded("/", "stock", false);
        tomcat.getHost().addChild(context);
        return context;
    }

    /** After as long as it takes until there is none, with a bound. */
    private long left() throws InterruptedException {
        long end = System.currentTimeMillis() + LONGEST_MILLIS;
        long left;
        do {
            System.gc();
            Thread.sleep(100);
            left = loaders.stream()
                    .map(Reference::get)
                    .filter(loader -> loader != null)
                    .count();
        } while (left > 0 && System.currentTimeMillis() < end);
        return left;
    }
}

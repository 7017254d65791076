// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Another JVM that locks what this one tells it to: a {@link LockNode}. For one thread. */
final class Node implements AutoCloseable {

    private static final int LONGEST_SECONDS = 180;

    private final Process process;
    private final Writer commands;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private Node(Process process) {
        this.process = process;
        this.commands = process.outputWriter(StandardCharsets.UTF_8);
    }

    /** Starts it and waits until it is connected. */
    static Node start(Server server, Contenders contender, int workers) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-classpath",
                        System.getProperty("java.class.path"),
                        LockNode.class.getName(),
                        contender.name(),
                        Integer.toString(workers))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var node = new Node(process);
        var reader = new Thread(node::read, "answers of " + process.pid());
        reader.setDaemon(true);
        reader.start();
        for (String line : new String[] {server.url(), server.user(), server.password()}) {
            node.commands.write(line + "\n");
        }
        node.commands.flush();
        node.answer("starting " + contender.label());
        return node;
    }

    private void read() {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(LockNode.ANSWER)) {
                    answers.add(line.substring(LockNode.ANSWER.length()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends a command; see {@link #answer}. */
    void tell(Object... words) throws IOException {
        commands.write(
                String.join(" ", Arrays.stream(words).map(Object::toString).toList()) + "\n");
        commands.flush();
    }

    /** Waits for what it answers to a command. */
    String answer(String command) throws InterruptedException {
        for (int second = 0; second < LONGEST_SECONDS; second++) {
            String answer = answers.poll(1, TimeUnit.SECONDS);
            if (answer != null) {
                return answer;
            }
            if (!process.isAlive() && answers.isEmpty()) {
                throw new IllegalStateException("another JVM has ended: " + command);
            }
        }
        throw new IllegalStateException("another JVM has not answered within " + LONGEST_SECONDS + "s: " + command);
    }

    String ask(Object... words) throws IOException, InterruptedException {
        tell(words);
        return answer(Arrays.toString(words));
    }

    @Override
    public void close() throws IOException {
        try {
            commands.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;

/** An application that runs for long, and whose classes and connections are there before the agent is. */
public final class Running {

    private Running() {}

    public static void main(String[] arguments) throws Exception {
        Db.open(arguments);
        Connection other = Db.another();
        Db.run(other, "select 1");
        work();
        say("ready", "");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("end"); line = input.readLine()) {
            say("answer", answer(line));
        }
    }

    private static String answer(String question) throws SQLException {
        return switch (question) {
            case "work" -> work();
            case "outside" -> lockTimeout();
            case "new connection" -> newConnection();
            default -> throw new IllegalArgumentException(question);
        };
    }

    private static String work() {
        return lockTimeout();
    }

    private static String newConnection() throws SQLException {
        try (Connection opened = Db.another()) {
            return Db.ask(opened, "select current_setting('lock_timeout')");
        }
    }
}

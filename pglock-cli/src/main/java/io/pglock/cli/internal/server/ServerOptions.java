// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import static picocli.CommandLine.Spec.Target.MIXEE;

import io.pglock.cli.internal.Typed;
import io.pglock.cli.internal.profile.ProfileOptions;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Which server, as far as the command line and a profile say it. What they leave open say the service file, libpq's environment and
 * libpq's defaults, in this order. Not API.
 */
public final class ServerOptions {

    @Spec(MIXEE)
    private @Nullable CommandSpec command;

    @Mixin
    private ProfileOptions profile = new ProfileOptions();

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The server: postgresql://user@host:port/database or jdbc:postgresql://host:port/database.")
    private @Nullable String url;

    @Option(names = "--host", paramLabel = "HOST", description = "Its host. PGHOST")
    private @Nullable String host;

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "Its port. PGPORT")
    private @Nullable String port;

    @Option(
            names = {"-U", "--user"},
            paramLabel = "ROLE",
            description = "As whom. PGUSER")
    private @Nullable String user;

    @Option(
            names = {"-d", "--database"},
            paramLabel = "DATABASE",
            description = "Which database. PGDATABASE")
    private @Nullable String database;

    @Option(names = "--service", paramLabel = "NAME", description = "A section of pg_service.conf. PGSERVICE")
    private @Nullable String service;

    @Option(names = "--no-password", description = "Never ask for a password, even at a terminal.")
    private boolean noPassword;

    /**
     * What all of them say together. Nothing is connected yet.
     *
     * @throws io.pglock.cli.internal.Stop when it cannot be understood
     */
    public Server server() {
        return Server.of(parameters(System.getenv()), !noPassword);
    }

    /** Which profile it is that completes the command line. */
    public ProfileOptions profile() {
        return profile;
    }

    /** Whether this option, of whatever group, is said for this call, and not by the defaults, which are there for every other. */
    public boolean isForThisCall(String option) {
        return profile.isForThisCall(command, option);
    }

    /** Whether, of two that are said, this one beats the other: what is typed the profile, and that the defaults. */
    public boolean isNearer(String option, String other) {
        return nearness(option) > nearness(other);
    }

    private int nearness(String option) {
        boolean typed = Typed.has(command, "--" + option).orElse(false);
        return typed ? 2 : isForThisCall(option) ? 1 : 0;
    }

    private Parameters parameters(Map<String, String> environment) {
        Parameters all = new Parameters();
        addOptions(all, true);
        all.get(Parameter.SERVICE).ifPresent(named -> all.addAll(read(named, environment)));
        addOptions(all, false);
        if (all.get(Parameter.SERVICE).isEmpty()) {
            all.add(Parameter.SERVICE, environment.getOrDefault("PGSERVICE", ""), "PGSERVICE");
        }
        // one that is read already adds nothing new
        all.get(Parameter.SERVICE).ifPresent(named -> all.addAll(read(named, environment)));
        all.addEnvironment(environment);
        all.add(Parameter.PASSFILE, Home.of(environment).resolve(".pgpass").toString(), Parameters.BY_DEFAULT);
        return all;
    }

    private static Parameters read(Parameters.Given service, Map<String, String> environment) {
        return ServiceFile.read(service.value(), service.from(), environment);
    }

    /** Those that were typed, or those that are a profile's. */
    private void addOptions(Parameters all, boolean typed) {
        add(all, Parameter.HOST, host, "--host", typed);
        add(all, Parameter.PORT, port, "--port", typed);
        add(all, Parameter.USER, user, "--user", typed);
        if (database == null || !ServerUrl.isUrl(database)) {
            add(all, Parameter.DBNAME, database, "--database", typed);
        } else {
            addUrl(all, database, "--database", typed);
        }
        add(all, Parameter.SERVICE, service, "--service", typed);
        addUrl(all, url, "--url", typed);
    }

    private void add(Parameters all, Parameter parameter, @Nullable String value, String option, boolean typed) {
        if (value != null && isTyped(option) == typed) {
            all.add(parameter, value, typed ? option : "the profile");
        }
    }

    private void addUrl(Parameters all, @Nullable String value, String option, boolean typed) {
        if (value != null && isTyped(option) == typed) {
            all.addAll(ServerUrl.read(value, typed ? option : "the profile's " + option.substring(2)));
        }
    }

    private boolean isTyped(String option) {
        return Typed.has(command, option).orElse(true);
    }
}

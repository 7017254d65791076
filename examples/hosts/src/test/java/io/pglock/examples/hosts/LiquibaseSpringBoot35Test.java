// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;
import java.util.Set;

/** A Spring Boot 3.5 application with Liquibase; the other ways to write settings are Boot's, as in 4.1. */
class LiquibaseSpringBoot35Test extends LiquibaseHostContract {

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = SpringBootJar.withLiquibase("3.5").channels();
        channels.keySet().retainAll(Set.of("application.yaml"));
        return channels;
    }
}

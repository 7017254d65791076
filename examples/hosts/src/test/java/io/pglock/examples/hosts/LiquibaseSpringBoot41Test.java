// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;

/** A Spring Boot 4.1 application with Liquibase. */
class LiquibaseSpringBoot41Test extends LiquibaseHostContract {

    @Override
    Map<String, Host> channels() {
        return SpringBootJar.withLiquibase("4.1").channels();
    }
}

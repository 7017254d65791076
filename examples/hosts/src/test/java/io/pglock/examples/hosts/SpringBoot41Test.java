// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;

/** A Spring Boot 4.1 application with Flyway. */
class SpringBoot41Test extends HostContract {

    @Override
    Map<String, Host> channels() {
        return SpringBootJar.withFlyway("4.1").channels();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;

/** A Spring Boot 3.5 application with Flyway. */
class SpringBoot35Test extends HostContract {

    @Override
    Map<String, Host> channels() {
        return SpringBootJar.withFlyway("3.5").channels();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;

/** A Spring Boot 4.1 application. */
class SpringBoot41Test extends HostContract {

    @Override
    Map<String, Host> channels() {
        return SpringBootJar.of("4.1").channels();
    }
}

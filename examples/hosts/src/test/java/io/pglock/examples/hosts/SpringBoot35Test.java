// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.Map;

/** A Spring Boot 3.5 application. */
class SpringBoot35Test extends HostContract {

    @Override
    Map<String, Host> channels() {
        return SpringBootJar.of("3.5").channels();
    }
}

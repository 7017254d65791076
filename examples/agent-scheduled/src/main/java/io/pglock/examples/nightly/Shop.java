// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.scheduling.annotation.EnableScheduling;

/** A shop of which two instances run. Nothing in it, nor on its class path, knows of pglock. */
@SpringBootApplication
@EnableScheduling
public class Shop {

    /** As Spring needs it. */
    public Shop() {}

    /** @param arguments settings, as Boot takes them */
    public static void main(String[] arguments) {
        SpringApplication.run(Shop.class, arguments);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

/**
 * A login role that is no superuser and exists for one test.
 *
 * @param name its name, unique on the server, which needs no quotes
 * @param password its password
 */
public record Role(String name, String password) {
    @Override
    public String toString() {
        return name;
    }
}

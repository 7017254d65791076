// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.util.regex.Pattern;

/**
 * The address of a server, in a word that should be something else. No message repeats it: there may be a password in it. Stateless.
 * Not API.
 */
public final class Address {

    private static final Pattern URL = Pattern.compile(".*://.*|(?:jdbc:|postgres(?:ql)?:).*@.*", Pattern.DOTALL);

    /** One of its words is enough: {@code FOO=1 ./report} is none. */
    private static final Pattern CONNECTION_STRING = Pattern.compile(
            "(?:.*\\s)?(?:host|hostaddr|port|dbname|user|(?:ssl)?password|service)\\s*=.*", Pattern.DOTALL);

    private Address() {}

    /** Whether it is a URL, or nearly one. */
    public static boolean isUrl(String word) {
        return URL.matcher(word).matches();
    }

    /** Whether it is a URL, or what psql takes as well: {@code host=db password=secret}. */
    public static boolean isIn(String word) {
        return isUrl(word) || CONNECTION_STRING.matcher(word).matches();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.internal.Monitor;
import io.pglock.internal.Setting;
import java.util.List;
import java.util.Map;

/**
 * The side connection's own settings, as far as they can be checked where no driver is: LockPolicy asks the driver, so it
 * reads them again where there is one.
 */
final class MonitorKeys {

    private static final String PREFIX = "jdbc:postgresql:";
    private static final String URL = Setting.MONITOR_URL.key();

    /** Those that LockPolicy must not be given here. */
    static final List<String> ALL = List.of(URL, Setting.MONITOR_USER.key(), Setting.MONITOR_PASSWORD.key());

    private MonitorKeys() {}

    static void check(Map<String, String> settings, Mistakes mistakes) {
        String url = settings.get(URL);
        if (url != null) {
            Monitor.mistake(url.strip()).ifPresent(wrong -> mistakes.add(URL + ": " + wrong));
        }
        for (String key : ALL) {
            if (url == null && settings.containsKey(key)) {
                mistakes.add(key + " counts only together with " + URL + "; set that too");
            }
        }
        if (settings.getOrDefault(Setting.MONITOR_USER.key(), "someone").isBlank()) {
            mistakes.add(Setting.MONITOR_USER.key() + "=: is empty");
        }
    }

    /** What may be shown of a URL: neither user nor password nor any other property. */
    static String shown(String url) {
        String plain = url.split("[?]", 2)[0];
        int credentials = plain.lastIndexOf('@');
        return credentials < 0 ? plain : PREFIX + "//..." + plain.substring(credentials);
    }
}

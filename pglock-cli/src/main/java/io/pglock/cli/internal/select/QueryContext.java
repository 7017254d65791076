// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A query without the comments in which applications tell from where it comes, and what they tell: django-pgactivity's {@code
 * /*pga_context={"url": "/orders"}*}{@code /} in front, and sqlcommenter's {@code /*route='%2Forders'*}{@code /} at the end.
 * Immutable. Not API.
 *
 * @param query the query itself
 * @param values what they tell, in the order in which they do
 */
public record QueryContext(String query, Map<String, String> values) {

    private static final Pattern IN_FRONT =
            Pattern.compile("\\A\\s*/\\*\\s*pga_context=(\\{.*?})\\s*\\*/\\s*", Pattern.DOTALL);
    /** Possessive, as all that is repeated: otherwise each character, and each pair, would be a call within a call. */
    private static final String QUOTED = "[^'\\\\]*+(?:\\\\.[^'\\\\]*+)*+";

    private static final String PAIR = "[^\\s'=,/*]+='" + QUOTED + "'";
    private static final Pattern ONE = Pattern.compile("([^\\s'=,/*]+)='(" + QUOTED + ")'");
    private static final Pattern AT_THE_END =
            Pattern.compile("\\s*/\\*\\s*(" + PAIR + "(?:\\s*,\\s*" + PAIR + ")*+)\\s*\\*/\\s*(;?)\\s*\\z");

    /** Copies the values. */
    public QueryContext {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Of a query as the server shows it, perhaps cut off at its end. */
    public static QueryContext of(String query) {
        if (!query.contains("/*")) {
            return new QueryContext(query, Map.of());
        }
        Map<String, String> values = new LinkedHashMap<>();
        String rest = query;
        Matcher json = IN_FRONT.matcher(rest);
        if (json.find() && JsonObject.read(json.group(1), values)) {
            rest = rest.substring(json.end());
        }
        Matcher pairs = AT_THE_END.matcher(rest);
        if (pairs.find()) {
            Matcher one = ONE.matcher(pairs.group(1));
            while (one.find()) {
                values.put(decoded(one.group(1)), decoded(one.group(2).replaceAll("\\\\(.)", "$1")));
            }
            rest = rest.substring(0, pairs.start()) + pairs.group(2);
        }
        return new QueryContext(rest, values);
    }

    private static String decoded(String text) {
        try {
            // a plus is a plus here, not a space
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}

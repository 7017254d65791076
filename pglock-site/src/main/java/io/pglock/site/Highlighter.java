// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.commonmark.renderer.html.HtmlWriter;

/**
 * Sets off comments, strings and keywords of the languages that the documentation is written in. It knows no grammar: what it does
 * not know stays as it is. Safe to share.
 */
final class Highlighter {

    private static final List<String> KINDS = List.of("comment", "string", "keyword");
    private static final String DOUBLE_QUOTED = "\"(?:[^\"\\\\\\n]|\\\\.)*\"";
    private static final String SINGLE_QUOTED = "'(?:[^'\\n]|'')*'";
    private static final String HASH_COMMENT = "(?<![^\\s])#[^\\n]*";

    private static final String JAVA_WORDS =
            "abstract|assert|boolean|break|byte|case|catch|char|class|continue|default|do|double|else|enum|extends|false|final"
                    + "|finally|float|for|if|implements|import|instanceof|int|interface|long|new|null|package|private|protected"
                    + "|public|record|return|sealed|short|static|super|switch|this|throw|throws|true|try|var|void|volatile|while";
    private static final String SQL_WORDS =
            "access|add|alter|and|as|begin|between|by|cascade|case|check|column|commit|concurrently|constraint|create|default"
                    + "|delete|desc|distinct|drop|else|end|exclusive|exists|for|foreign|from|function|grant|group|having|if|in|index"
                    + "|insert|into|is|join|key|left|limit|local|lock|mode|not|null|on|only|or|order|primary|references|reindex|reset"
                    + "|role|rollback|row|savepoint|select|set|share|table|then|to|transaction|truncate|union|unique|update|using"
                    + "|vacuum|valid|validate|values|view|when|where|with";

    private static final Map<String, Pattern> LANGUAGES = Map.of(
            "java",
                    language(
                            "//[^\\n]*|/\\*(?s:.*?)\\*/",
                            DOUBLE_QUOTED + "|'(?:[^'\\\\\\n]|\\\\.)'",
                            word(JAVA_WORDS) + "|@\\w+"),
            "sql", language("--[^\\n]*|/\\*(?s:.*?)\\*/", SINGLE_QUOTED, "(?i)" + word(SQL_WORDS)),
            "xml", language("<!--(?s:.*?)-->", DOUBLE_QUOTED, "</?[\\w:.-]+|/?>"),
            "yaml",
                    language(
                            HASH_COMMENT,
                            DOUBLE_QUOTED + "|" + SINGLE_QUOTED,
                            "(?m)(?<=^|[\\s{-])[\\w.-]+(?=:(?:\\s|$))"),
            "toml",
                    language(
                            HASH_COMMENT,
                            DOUBLE_QUOTED + "|" + SINGLE_QUOTED,
                            "(?m)^\\s*\\[.*\\]|^\\s*[\\w.-]+(?=\\s*=)"),
            "properties", language("(?m)^\\s*#[^\\n]*", "(?!)", "(?m)^[\\w.-]+(?=\\s*=)"),
            "sh", language(HASH_COMMENT, DOUBLE_QUOTED + "|'[^'\\n]*'", "(?m)^(?:\\$ )?[\\w./-]+(?==| |$)"));

    private Highlighter() {}

    static void write(String language, String code, HtmlWriter html) {
        Pattern pattern = LANGUAGES.get(language);
        if (pattern == null) {
            html.text(code);
            return;
        }
        Matcher matcher = pattern.matcher(code);
        int done = 0;
        while (matcher.find()) {
            html.text(code.substring(done, matcher.start()));
            html.tag("span", Map.of("class", kind(matcher)));
            html.text(matcher.group());
            html.tag("/span");
            done = matcher.end();
        }
        html.text(code.substring(done));
    }

    private static String kind(Matcher matcher) {
        return KINDS.stream()
                .filter(kind -> matcher.group(kind) != null)
                .findFirst()
                .orElseThrow();
    }

    private static Pattern language(String comment, String string, String keyword) {
        return Pattern.compile("(?<comment>%s)|(?<string>%s)|(?<keyword>%s)".formatted(comment, string, keyword));
    }

    private static String word(String words) {
        return "\\b(?:" + words + ")\\b";
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.cli.internal.Stop;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a file into statements where psql would: at semicolons that stand in no quotes, comments, parentheses and no {@code BEGIN
 * ATOMIC} body. What only psql understands is refused. Used once, by one thread.
 *
 * <p>The driver's own parser cuts as well, but says neither where in the file a statement stands nor what psql's commands are.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-syntax-lexical.html">Lexical Structure</a>
 */
final class SqlText {

    private static final Pattern SETTINGS = Pattern.compile("--\\s*pglock\\s*:(.*)", Pattern.DOTALL);

    /** No statement is told from another by a word further behind, unless it is CREATE FUNCTION: there two are remembered. */
    private static final int WORDS = 60;

    /** Or COPY, which says behind its columns where it reads. */
    private static final int WORDS_OF_COPY = 5_000;

    private final String file;
    private final String text;
    private final StringSyntax strings;

    private final List<SqlStatement> statements = new ArrayList<>();
    private int at;
    private int line = 1;
    private int countedTo;

    private int begin = -1;
    private int end;
    private List<String> words = new ArrayList<>();
    private List<String> settings = new ArrayList<>();
    private final List<Integer> parentheses = new ArrayList<>();
    private int atomic;
    private int atomicAt;
    private String before = "";

    /** @param strings as the session has them where it begins; the file may set them */
    SqlText(String file, String text, StringSyntax strings) {
        this.file = file;
        this.text = text;
        this.strings = strings;
    }

    /** @throws Stop naming the line, when it cannot be run */
    List<SqlStatement> statements() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (isSpace(c)) {
                at++;
            } else if (text.startsWith("--", at)) {
                lineComment();
            } else if (text.startsWith("/*", at)) {
                blockComment();
            } else if (c == '\\') {
                psqlCommand();
            } else if (c == ';' && parentheses.isEmpty() && atomic == 0) {
                end();
                at++;
            } else {
                token(c);
            }
        }
        if (!parentheses.isEmpty()) {
            throw unended(parentheses.get(0), "the parenthesis");
        }
        if (atomic > 0) {
            throw unended(atomicAt, "the BEGIN ATOMIC");
        }
        end();
        if (!settings.isEmpty()) {
            throw stop(line(text.length()), "the comment \"-- pglock:\" has no statement below it");
        }
        return statements;
    }

    private void token(char c) {
        if (begin < 0) {
            begin = at;
        }
        String word = "";
        if (c == '\'') {
            string(strings.hasEscapes());
        } else if (c == '"') {
            quoted('"', false, "the quoted name");
        } else if (c == '$') {
            dollar();
        } else if (isLetter(c)) {
            word = word();
        } else if (isDigit(c)) {
            at = endOfWord(at);
        } else {
            if (text.startsWith("??", at)) {
                throw stop(line(at), "an operator with ?? does not get through the driver, which takes it for one ?");
            }
            if (c == '(') {
                parentheses.add(at);
            } else if (c == ')' && !parentheses.isEmpty()) {
                parentheses.remove(parentheses.size() - 1);
            }
            word = String.valueOf(c);
            at++;
        }
        before = word;
        end = at;
    }

    private void end() {
        if (begin >= 0) {
            SqlStatement statement = new SqlStatement(
                    file, line(begin), text.substring(begin, end), List.copyOf(words), List.copyOf(settings));
            if (statement.begins("copy") && (statement.says("from", "stdin") || statement.says("to", "stdout"))) {
                throw stop(
                        statement.line(),
                        "COPY " + (statement.says("from", "stdin") ? "FROM STDIN" : "TO STDOUT")
                                + " moves data through psql, which pglock sql does not do. Write INSERT, COPY a file of the"
                                + " server, or leave this to psql");
            }
            strings.after(statement);
            statements.add(statement);
            settings = new ArrayList<>();
        }
        begin = -1;
        words = new ArrayList<>();
        before = "";
    }

    // ---- comments and psql's commands -------------------------------------------------------------------------------

    private void lineComment() {
        int from = at;
        at = endOfLine(at);
        Matcher found = SETTINGS.matcher(text.substring(from, at));
        if (!found.matches()) {
            return;
        }
        boolean alone = text.substring(beginOfLine(from), from).isBlank();
        if (begin >= 0 || !alone) {
            throw stop(
                    line(from),
                    "the comment \"-- pglock:\" counts for nothing here; put it on a line of its own above the statement");
        }
        settings.add(found.group(1));
    }

    /** They nest. */
    private void blockComment() {
        int from = at;
        int depth = 0;
        do {
            if (text.startsWith("/*", at)) {
                depth++;
                at += 2;
            } else if (text.startsWith("*/", at)) {
                depth--;
                at += 2;
            } else if (at == text.length()) {
                throw unended(from, "the comment");
            } else {
                at++;
            }
        } while (depth > 0);
    }

    private void psqlCommand() {
        int from = at;
        int end = text.indexOf('\n', at);
        String command = text.substring(from, end < 0 ? text.length() : end).strip();
        String name = command.split("[\\s;|]", 2)[0];
        if (begin < 0 && (name.equals("\\restrict") || name.equals("\\unrestrict"))) {
            at = from + command.length(); // pg_dump tells psql that no other command of psql's may follow
            return;
        }
        String instead = switch (name) {
            case "\\i", "\\ir", "\\include" -> " Name that file on the command line";
            case "\\c", "\\connect" -> " Call pglock sql once for each database";
            case "\\set" ->
                command.contains("ON_ERROR_STOP")
                        ? " Leave it out: pglock sql stops at the first failure anyway"
                        : " Variables are psql's";
            case "\\copy" -> " Leave this to psql, or write INSERT";
            case "\\if", "\\elif", "\\else", "\\endif", "\\gexec", "\\gset" -> " Write DO $$ ... $$";
            default -> " Leave it out, or leave this to psql";
        };
        throw stop(line(from), name + " is a command of psql's, not SQL, and pglock sql does not know it." + instead);
    }

    // ---- words and quotes -------------------------------------------------------------------------------------------

    private String word() {
        int from = at;
        at = endOfWord(at);
        String word = lowerCase(text.substring(from, at));
        if (at < text.length() && text.charAt(at) == '\'' && word.equals("e")) {
            string(true);
            return "";
        }
        if (words.size() < (words.size() > 0 && words.get(0).equals("copy") ? WORDS_OF_COPY : WORDS)) {
            words.add(word);
        }
        body(word, from);
        return word;
    }

    /** Inside of a function's body in standard SQL semicolons end the statements of the body. */
    private void body(String word, int from) {
        if (before.equals("as") || before.equals(".")) {
            return; // a name
        }
        if (atomic == 0) {
            if (word.equals("atomic") && before.equals("begin") && isRoutine()) {
                atomic = 1;
                atomicAt = from;
            }
        } else if (word.equals("case")) {
            atomic++;
        } else if (word.equals("end")) {
            atomic--;
        }
    }

    private boolean isRoutine() {
        int what = words.size() > 3 && words.get(1).equals("or") && words.get(2).equals("replace") ? 3 : 1;
        return words.get(0).equals("create") && List.of("function", "procedure").contains(words.get(what));
    }

    /** With what continues it on a further line. */
    private void string(boolean escapes) {
        quoted('\'', escapes, "the string");
        int next = at;
        boolean newLine = false;
        while (next < text.length()) {
            char c = text.charAt(next);
            if (text.startsWith("--", next)) {
                next = endOfLine(next);
            } else if (isSpace(c)) {
                newLine |= isEndOfLine(c);
                next++;
            } else {
                if (c == '\'' && newLine) {
                    at = next;
                    string(escapes);
                }
                return;
            }
        }
    }

    private void quoted(char quote, boolean escapes, String what) {
        int from = at++;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '\\' && escapes) {
                at++;
            } else if (c == quote) {
                if (at == text.length() || text.charAt(at) != quote) {
                    return;
                }
                at++;
            }
        }
        throw unended(from, what);
    }

    /** {@code $tag$ ... $tag$}; {@code $1} is none. */
    private void dollar() {
        int from = at++;
        while (at < text.length() && (isLetter(text.charAt(at)) || at > from + 1 && isDigit(text.charAt(at)))) {
            at++;
        }
        if (at == text.length() || text.charAt(at) != '$') {
            return;
        }
        String tag = text.substring(from, ++at);
        int end = text.indexOf(tag, at);
        if (end < 0) {
            throw unended(from, "the text in " + tag);
        }
        at = end + tag.length();
    }

    private int endOfWord(int from) {
        int end = from;
        while (end < text.length()
                && (isLetter(text.charAt(end)) || isDigit(text.charAt(end)) || text.charAt(end) == '$')) {
            end++;
        }
        return end;
    }

    /** As PostgreSQL has it: every character beyond ASCII may be part of a name. */
    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0x0B;
    }

    private static String lowerCase(String word) {
        return word.toLowerCase(Locale.ROOT);
    }

    // ---- lines ------------------------------------------------------------------------------------------------------

    /** As PostgreSQL has it: a carriage return by itself is one as well. */
    private int endOfLine(int from) {
        int end = from;
        while (end < text.length() && !isEndOfLine(text.charAt(end))) {
            end++;
        }
        return end;
    }

    private int beginOfLine(int from) {
        int begin = from;
        while (begin > 0 && !isEndOfLine(text.charAt(begin - 1))) {
            begin--;
        }
        return begin;
    }

    private static boolean isEndOfLine(char c) {
        return c == '\n' || c == '\r';
    }

    private int line(int offset) {
        if (offset < countedTo) {
            return 1
                    + (int) text.substring(0, offset)
                            .chars()
                            .filter(c -> c == '\n')
                            .count();
        }
        while (countedTo < offset) {
            line += text.charAt(countedTo++) == '\n' ? 1 : 0;
        }
        return line;
    }

    private Stop unended(int from, String what) {
        return stop(line(from), what + " that begins here does not end");
    }

    private Stop stop(int where, String why) {
        return Stop.usage(file + ":" + where + ": " + why + ".");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.keys.KeyNames;
import io.pglock.internal.Setting;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** One {@code --filter}: {@code attribute=value} or {@code attribute__operator=value}. Immutable and thread-safe. */
final class Condition implements Predicate<Row> {

    /** No two words stand side by side in the long one, lest an expression tries all the ways to part it. */
    private static final List<String> ANYBODYS =
            List.of("x", "X", "7", "77", "777", "xxxxxxxx", "XXXXXXXX", "77777777", "x 7 ".repeat(20) + "x");

    /** Of a regular expression: what stands for itself, with a backslash or without, or else what does not. */
    private static final Pattern LITERAL =
            Pattern.compile("\\\\([^\\p{Alnum}])|[(][?][!=<:]*|\\\\.|[\\^$.|?*+(){}\\[\\]]|(.)");

    /** That there is no {@code -7}, with nothing before the hyphen: {@code ^(?!$APP-\d)}. */
    private static final Pattern CUT_OFF = Pattern.compile(
            "[(][?]<?!(?:\\\\[^\\p{Alnum}]|[-_/:,;@#%&~ ])(?:\\\\.|\\[[^]]*]|[^\\p{Alnum})\\[\\\\])*[)]");

    /** What a word may go on with that is none. */
    private static final String GOING_ON = " x";

    private static final String NO_LITERAL = "\0";

    private final Attribute attribute;
    private final Predicate<Optional<?>> test;
    private final String filter;
    private final Optional<String> tooMany;
    private final Optional<KeyNames> otherNames;

    private Condition(
            Attribute attribute,
            Predicate<Optional<?>> test,
            String filter,
            Optional<String> tooMany,
            Optional<KeyNames> otherNames) {
        this.attribute = attribute;
        this.test = test;
        this.filter = filter;
        this.tooMany = tooMany;
        this.otherNames = otherNames;
    }

    Attribute attribute() {
        return attribute;
    }

    @Override
    public boolean test(Row row) {
        return test.test(attribute.of(row))
                && otherNames
                        .map(names -> test.test(attribute.of(row.with(names))))
                        .orElse(true);
    }

    /** The same, if it is true with these names of keys, too. */
    Condition alsoWith(KeyNames names) {
        return new Condition(attribute, test, filter, tooMany, Optional.of(names));
    }

    /**
     * Compared with nothing, as with a variable of a shell that is not set, {@code ne} is true for almost everybody; and so is
     * what a regular expression finds that has one in it: {@code ^$APP}, {@code report|$APP}. Everybody has begun before what has
     * not come yet: {@code 23:00}, of yesterday, which is read after midnight.
     *
     * @throws Stop when it is so
     */
    void requireValue() {
        tooMany.ifPresent(why -> {
            throw Stop.usage("the filter " + filter + ": " + why);
        });
    }

    /** @throws Stop that says what is wrong with it */
    static Condition parse(String filter) {
        int equals = filter.indexOf('=');
        if (equals <= 0) {
            throw Stop.usage("the filter " + filter + " is not attribute=value or attribute__operator=value, as in"
                    + " activity__duration__gt=5s");
        }
        String left = filter.substring(0, equals).strip();
        String value = filter.substring(equals + 1);
        Optional<Attribute> whole = Attributes.find(left);
        int last = left.lastIndexOf(Attributes.SEPARATOR);
        Optional<Operator> operator =
                last < 0 ? Optional.empty() : Operator.named(left.substring(last + Attributes.SEPARATOR.length()));
        if (operator.isPresent()) {
            return of(Attributes.named(left.substring(0, last)), operator.get(), value, filter);
        }
        if (whole.isPresent()) {
            return of(whole.get(), Operator.EXACT, value, filter);
        }
        Optional<Attribute> head = last < 0 ? Optional.empty() : Attributes.find(left.substring(0, last));
        throw head.filter(found -> Attributes.nearest(left).isEmpty() || isName(found, left.substring(0, last)))
                .map(found -> unknown(left.substring(last + Attributes.SEPARATOR.length()), found))
                .orElseGet(() -> Attributes.unknown(left));
    }

    private static boolean isName(Attribute attribute, String written) {
        return attribute.name().equalsIgnoreCase(written);
    }

    private static Stop unknown(String operator, Attribute attribute) {
        List<String> known = Operator.of(attribute.kind());
        return Stop.usage("unknown operator " + operator + " for " + attribute
                + Setting.nearest(operator, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; it knows " + String.join(", ", known)));
    }

    private static Condition of(Attribute attribute, Operator operator, String value, String filter) {
        if (!operator.suits(attribute.kind())) {
            throw Stop.usage("the filter " + filter + ": " + attribute + " is a " + attribute.kind()
                    + " and does not know " + operator + ", only " + String.join(", ", Operator.of(attribute.kind())));
        }
        // a shell's variable that is not set, perhaps: it would be about everybody
        if (value.isEmpty() && operator.isOfPart()) {
            throw Stop.usage(
                    "the filter " + filter + ": the value is empty, and every text has that in it; write a part of "
                            + attribute + ", or leave the filter out");
        }
        // " etl" is nobody's name: with ne it would be true for etl, which was to be spared
        if (operator.isOfWhole()
                && isVerbatim(attribute)
                && !value.isBlank()
                && !value.strip().equals(value)) {
            throw Stop.usage("the filter " + filter + ": there is a blank before or behind the value; write it without,"
                    + " or " + attribute + "__regex where blanks are meant");
        }
        try {
            Predicate<Optional<?>> test = test(attribute, operator, value);
            return new Condition(attribute, test, filter, tooMany(attribute, operator, value), Optional.empty());
        } catch (IllegalArgumentException e) {
            throw Stop.usage("the filter " + filter + ": " + value + " " + e.getMessage());
        }
    }

    /** Why it is true for others than are meant, as far as that can be told from itself. */
    private static Optional<String> tooMany(Attribute attribute, Operator operator, String value) {
        if (isOfEverybody(attribute, operator, value)) {
            return Optional.of("nearly every text has that in it, as where a variable is not set; write"
                    + " what only those have who are meant, or leave the filter out");
        }
        if (isEmpty(operator, value)) {
            return Optional.of("the value is empty, as of a variable that is not set; to mean"
                    + " those without one, write " + attribute + "__isnull=true, or " + attribute
                    + "__regex=^$ where it is an empty text");
        }
        return attribute.kind() == Kind.INSTANT && operator.isOfEarlier() ? notCome(value) : Optional.empty();
    }

    private static Optional<String> notCome(String value) {
        Instant wanted = TimeText.instant(value);
        return wanted.isAfter(Instant.now())
                ? Optional.of(wanted.atZone(ZoneId.systemDefault()).toOffsetDateTime()
                        + " has not come yet, and everything has begun before it; write the date that is meant")
                : Optional.empty();
    }

    private static boolean isEmpty(Operator operator, String value) {
        return operator == Operator.IN
                ? Stream.of(value.split(",", -1)).anyMatch(String::isBlank)
                : operator != Operator.ISNULL && value.isBlank();
    }

    /** Whether a regular expression is found in every text: in anybody's, in what it says itself, and in these side by side. */
    private static boolean isOfEverybody(Attribute attribute, Operator operator, String value) {
        return (operator == Operator.REGEX || operator == Operator.IREGEX)
                && Stream.of(value, CUT_OFF.matcher(value).replaceAll("(?:)"))
                        .distinct()
                        .anyMatch(expression -> isInEveryText(attribute, operator, expression));
    }

    private static boolean isInEveryText(Attribute attribute, Operator operator, String expression) {
        Predicate<Optional<?>> test = text(attribute, operator, expression);
        List<String> parts = Stream.concat(
                        ANYBODYS.stream(), literals(isWord(attribute) ? spelt(expression) : expression))
                .toList();
        return Stream.concat(
                        parts.stream(),
                        parts.stream()
                                .flatMap(one -> Stream.concat(parts.stream(), Stream.of(GOING_ON))
                                        .map(other -> one + other)))
                .allMatch(text -> test.test(Optional.of(text)));
    }

    /** {@code com.acme.} and {@code app} in {@code ^(?!com\.acme\.).*app$}. */
    private static Stream<String> literals(String expression) {
        String cut = LITERAL.matcher(expression).replaceAll(part -> {
            String literal = Stream.of(part.group(1), part.group(2))
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElse(NO_LITERAL);
            return Matcher.quoteReplacement(literal);
        });
        return Stream.of(cut.split(NO_LITERAL)).filter(part -> !part.isEmpty());
    }

    private static Predicate<Optional<?>> test(Attribute attribute, Operator operator, String value) {
        return switch (operator) {
            case ISNULL -> {
                boolean wanted = Values.flag(value);
                yield found -> found.isEmpty() == wanted;
            }
            case EXACT -> any(attribute, List.of(value));
            case NE -> any(attribute, List.of(value)).negate();
            case IN ->
                any(
                        attribute,
                        Stream.of(value.split(",", -1)).map(String::strip).toList());
            case CONTAINS ->
                attribute.kind() == Kind.PIDS ? any(attribute, List.of(value)) : text(attribute, operator, value);
            case GT, GTE, LT, LTE -> order(attribute, operator, value);
            default -> text(attribute, operator, value);
        };
    }

    private static Predicate<Optional<?>> any(Attribute attribute, List<String> texts) {
        List<Object> wanted =
                texts.stream().map(text -> Values.read(attribute, text)).toList();
        if (attribute.kind() == Kind.PIDS) {
            return found -> found.filter(pids ->
                            ((List<?>) pids).stream().anyMatch(pid -> wanted.contains(((Integer) pid).longValue())))
                    .isPresent();
        }
        return found -> found.filter(value -> wanted.contains(Values.comparable(attribute, value)))
                .isPresent();
    }

    @SuppressWarnings("unchecked")
    private static Predicate<Optional<?>> order(Attribute attribute, Operator operator, String text) {
        Comparable<Object> wanted = (Comparable<Object>) Values.read(attribute, text);
        return found -> found.filter(value -> {
                    int order = -wanted.compareTo(Values.comparable(attribute, value));
                    return switch (operator) {
                        case GT -> order > 0;
                        case GTE -> order >= 0;
                        case LT -> order < 0;
                        default -> order <= 0;
                    };
                })
                .isPresent();
    }

    private static Predicate<Optional<?>> text(Attribute attribute, Operator operator, String value) {
        boolean word = isWord(attribute);
        Predicate<String> matches = matches(operator, word ? spelt(value) : value, word || operator.ignoresCase());
        return found -> found.map(Values::text).filter(matches).isPresent();
    }

    /** Whether its values are compared as they are written, to the last blank. */
    private static boolean isVerbatim(Attribute attribute) {
        return attribute.kind() == Kind.TEXT || attribute.kind() == Kind.ID;
    }

    private static boolean isWord(Attribute attribute) {
        return attribute.kind() == Kind.WORD || attribute.kind() == Kind.MODE;
    }

    /** As PostgreSQL writes its words: a part of one may be written with underscores as well. */
    private static String spelt(String value) {
        return value.replace('_', ' ');
    }

    private static Predicate<String> matches(Operator operator, String value, boolean ignoreCase) {
        if (operator == Operator.REGEX || operator == Operator.IREGEX) {
            try {
                return Pattern.compile(value, ignoreCase ? Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE : 0)
                        .asPredicate();
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException("is not a regular expression: " + e.getDescription(), e);
            }
        }
        String wanted = ignoreCase ? value.toLowerCase(Locale.ROOT) : value;
        return text -> {
            String given = ignoreCase ? text.toLowerCase(Locale.ROOT) : text;
            return switch (operator) {
                case CONTAINS, ICONTAINS -> given.contains(wanted);
                case STARTSWITH, ISTARTSWITH -> given.startsWith(wanted);
                case ENDSWITH, IENDSWITH -> given.endsWith(wanted);
                default -> given.equals(wanted);
            };
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a method returns that is skipped: nothing, the empty form of its type, or what was declared. Immutable. */
record SkipValue(Supplier<@Nullable Object> supplier) {

    private static final Map<String, Supplier<@Nullable Object>> EMPTY = Map.of(
            "java.util.Optional", Optional::empty,
            "java.util.OptionalInt", OptionalInt::empty,
            "java.util.OptionalLong", OptionalLong::empty,
            "java.util.OptionalDouble", OptionalDouble::empty,
            "java.util.concurrent.CompletableFuture", SkipValue::nothing,
            "java.util.concurrent.CompletionStage", SkipValue::nothing,
            "java.util.concurrent.Future", SkipValue::nothing);

    private static final Map<String, Function<String, Object>> PARSED = Map.ofEntries(
            Map.entry("boolean", SkipValue::bool),
            Map.entry("byte", Byte::valueOf),
            Map.entry("short", Short::valueOf),
            Map.entry("int", Integer::valueOf),
            Map.entry("long", Long::valueOf),
            Map.entry("float", Float::valueOf),
            Map.entry("double", Double::valueOf),
            Map.entry("char", SkipValue::character),
            Map.entry("java.lang.Boolean", SkipValue::bool),
            Map.entry("java.lang.Byte", Byte::valueOf),
            Map.entry("java.lang.Short", Short::valueOf),
            Map.entry("java.lang.Integer", Integer::valueOf),
            Map.entry("java.lang.Long", Long::valueOf),
            Map.entry("java.lang.Float", Float::valueOf),
            Map.entry("java.lang.Double", Double::valueOf),
            Map.entry("java.lang.Character", SkipValue::character),
            Map.entry("java.lang.String", text -> text));

    /** Nothing. */
    static final SkipValue NONE = new SkipValue(() -> null);

    /**
     * @param type what the method returns, as source code spells it
     * @param skips whether it is ever skipped
     * @throws IllegalArgumentException when it must be declared and is not, or cannot be read, saying what to do
     */
    static SkipValue of(String type, boolean primitive, boolean skips, Optional<String> declared) {
        return skips ? new SkipValue(supplier(type, primitive, declared)) : NONE;
    }

    /** A new one for each call. */
    @Nullable Object value() {
        return supplier.get();
    }

    private static Supplier<@Nullable Object> supplier(String type, boolean primitive, Optional<String> declared) {
        if (type.equals("void")) {
            if (declared.isPresent()) {
                throw new IllegalArgumentException("it returns nothing, so skipValue has no use");
            }
            return () -> null;
        }
        Function<String, Object> parsed = PARSED.get(type);
        if (declared.isPresent()) {
            if (parsed == null) {
                throw new IllegalArgumentException("skipValue cannot be a " + type + "; leave it out");
            }
            Object value = parse(parsed, type, declared.get());
            return () -> value;
        }
        if (primitive) {
            throw new IllegalArgumentException("it returns " + type
                    + ", so it has to be declared what it returns when it is skipped: skipValue="
                    + (type.equals("boolean") ? "false" : "0") + ", for instance, or onTimeout=raise");
        }
        return EMPTY.getOrDefault(type, () -> null);
    }

    private static Object parse(Function<String, Object> parsed, String type, String text) {
        try {
            return parsed.apply(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("skipValue=" + text + " is not a " + type);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it is the application's, and done
    private static Object nothing() {
        return CompletableFuture.completedFuture(null);
    }

    private static Object bool(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static Object character(String text) {
        if (text.length() != 1) {
            throw new IllegalArgumentException(text);
        }
        return text.charAt(0);
    }
}

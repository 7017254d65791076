// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What goes to the server next, all in one statement, in this order; then the requests for several keys, each a statement of
 * its own; and what is to be done with the answers. Used by the client's thread only. Not API.
 */
final class LockBatch {

    /** More than this in one statement, and the last one would wait for too long. */
    static final int MOST = 2_000;

    /** What is to be done with an answer. */
    @FunctionalInterface
    interface Answer {
        void is(boolean yes);
    }

    /** One thing to be done with one key. */
    record Entry(LockOp op, LockKey key, Answer answer) {}

    /**
     * Several keys for one request, all or nothing.
     *
     * @param isFree whether it may be granted as far as this client goes, after all that came before
     * @param keys those of them that the server has to be asked for, right after that: none that the session holds, for it would get
     *     them again
     */
    record Several(LockRequest request, BooleanSupplier isFree, Supplier<List<LockKey>> keys, Answer answer) {}

    /** Somebody wants a fencing token for a lock that he holds. */
    record Token(ClientHold hold, CompletableFuture<Long> reply) {}

    private final List<Entry> entries = new ArrayList<>();
    private final List<Token> tokens = new ArrayList<>();
    private final Set<LockKey> withToken = new HashSet<>();
    private final Set<LockKey> askedAbout = new HashSet<>();
    private final Queue<Several> unanswered = new ArrayDeque<>();
    private boolean answered;
    private boolean asksForASignOfLife;

    void add(LockOp op, LockKey key, Answer answer) {
        entries.add(new Entry(op, key, answer));
    }

    /** Once, whoever wants to know: the answer is the same for all. */
    void askWhetherAwaited(LockKey key, Answer answer) {
        if (askedAbout.add(key)) {
            add(LockOp.IS_AWAITED, key, answer);
        }
    }

    void add(Several request) {
        unanswered.add(request);
    }

    /** What the server said of all the entries, a character for each. */
    void answer(String answers) {
        answered = true;
        for (int i = 0; i < answers.length(); i++) {
            entries.get(i).answer().is(answers.charAt(i) == '1');
        }
    }

    /** Takes the next request for several keys, until there is none. */
    @Nullable Several nextSeveral() {
        return unanswered.peek();
    }

    /** What the server said of it. */
    void answerSeveral(boolean yes) {
        unanswered.remove().answer().is(yes);
    }

    /** What was asked for when the statement failed: nothing of it was answered. */
    List<Entry> failedEntries() {
        return answered ? List.of() : entries;
    }

    /** The requests for several keys that failed with it: whose keys were in it or, when all of that went well, the next one. */
    List<Several> failedSeveral() {
        if (failedEntries().isEmpty()) {
            return unanswered.stream().limit(1).toList();
        }
        Set<LockKey> failed = failedEntries().stream().map(Entry::key).collect(Collectors.toSet());
        return unanswered.stream()
                .filter(several -> !Collections.disjoint(several.request().keys(), failed))
                .toList();
    }

    /** Not here but in the next batch, where it concerns the same lock as another: two holders must not get the same token. */
    void add(Token token) {
        if (token.hold().keys().stream().noneMatch(withToken::contains)) {
            withToken.addAll(token.hold().keys());
            tokens.add(token);
        }
    }

    boolean isEmpty() {
        return entries.isEmpty() && unanswered.isEmpty() && tokens.isEmpty() && !asksForASignOfLife;
    }

    /** Goes to the server, even with nothing to do there. */
    void askForASignOfLife() {
        asksForASignOfLife = true;
    }

    /** Whether there is something to be said in the one statement. */
    boolean hasStatement() {
        return !entries.isEmpty() || !tokens.isEmpty() || asksForASignOfLife;
    }

    boolean isFull() {
        return entries.size() >= MOST;
    }

    List<Entry> entries() {
        return entries;
    }

    List<Token> tokens() {
        return tokens;
    }

    int[] operations() {
        return entries.stream()
                .mapToInt(entry -> Sql.code(entry.op(), entry.key().isPair()))
                .toArray();
    }

    long[] numbers() {
        return entries.stream().mapToLong(entry -> entry.key().number()).toArray();
    }

    /** The second halves of the keys by which clients know that a key is waited for. */
    int[] announcements() {
        return entries.stream().mapToInt(entry -> announcement(entry.key())).toArray();
    }

    /** 32 bits for a key: where two keys share them, one is at worst believed to be waited for. */
    static int announcement(LockKey key) {
        return Long.hashCode(key.number()) * 31 + (key.isPair() ? 1 : 0);
    }

    boolean isBasic() {
        return tokens.isEmpty() && entries.stream().allMatch(entry -> entry.op().isBasic());
    }

    boolean looksAtTheQueue() {
        return entries.stream().anyMatch(entry -> entry.op() == LockOp.IS_AWAITED);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/**
 * Who holds elsewhere what somebody has not got, for his message. The server may take two seconds for an answer, and everybody waits
 * for his lock meanwhile: so it is asked about one key at a time, for those only who still listen, and all who want to know
 * the same hear it together. Used by the client's thread only. Not API.
 */
final class Questions {

    private static final String NOBODY = ". Nobody holds them any more: try again.";

    private final Queue<Question> pending = new ArrayDeque<>();

    private static final class Question {

        private final boolean shared;
        private final boolean ofSeveral;
        private final Deque<LockKey> keys;
        private final CompletableFuture<String> answer;

        Question(LockRequest request, Collection<LockKey> keys, CompletableFuture<String> answer) {
            this.shared = request.isShared();
            this.ofSeveral = request.keys().size() > 1;
            this.keys = new ArrayDeque<>(keys);
            this.answer = answer;
        }

        boolean isAbout(LockKey key, boolean inSharedMode) {
            return key.equals(keys.peek()) && shared == inSharedMode;
        }

        /** @return whether that answers it */
        boolean hears(String who) {
            keys.poll();
            if (!ofSeveral || !who.startsWith(". ")) {
                return answer.complete(who);
            }
            return keys.isEmpty() && answer.complete(NOBODY);
        }
    }

    /** @param keys the keys of the request that may be held elsewhere */
    void add(LockRequest request, Collection<LockKey> keys, CompletableFuture<String> answer) {
        if (keys.isEmpty()) {
            answer.complete(NOBODY);
        } else {
            pending.add(new Question(request, keys, answer));
        }
    }

    boolean isEmpty() {
        return pending.isEmpty();
    }

    /** Asks about one key, if there is any to ask about. */
    void askOne(PgSession session) {
        pending.removeIf(question -> question.answer.isDone());
        Question first = pending.peek();
        if (first == null) {
            return;
        }
        LockKey key = first.keys.element();
        try {
            String who = Blockers.ofKey(session, key, first.shared);
            pending.removeIf(question -> question.isAbout(key, first.shared) && question.hears(who));
        } catch (RuntimeException | Error e) {
            first.answer.completeExceptionally(e);
        }
    }

    /** The same answer for all. */
    void answerAll(String who) {
        pending.forEach(question -> question.answer.complete(who));
        pending.clear();
    }
}

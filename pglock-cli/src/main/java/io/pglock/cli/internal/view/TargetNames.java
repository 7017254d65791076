// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.LockTarget;
import io.pglock.cli.internal.keys.KeyNames;

/** What is said of what is locked: core's words, with names for advisory keys, and the primary keys of rows. Not API. */
public record TargetNames(KeyNames keys, RowKeys rows) {

    /** {@code orders}, {@code advisory lock 72707369 of database app (Prisma Migrate)}, {@code transaction 739 (orders id=42)}. */
    public String describe(LockTarget target) {
        LockTarget named = keys.named(target);
        String text = rows.key(target).map(key -> withKey(target, key)).orElseGet(named::describe);
        return keys.owner(target).map(owner -> text + " (" + owner + ")").orElse(text);
    }

    /** {@code row (0,7) of orders} becomes {@code orders id=42}. */
    private static String withKey(LockTarget target, String key) {
        String text = target.describe();
        String place = "row " + target.ctid().orElse("?") + " of ";
        int at = text.indexOf(place);
        String after = text.substring(at + place.length());
        boolean bracketed = target.type() == LockTarget.Type.TRANSACTIONID;
        String relation = bracketed ? after.substring(0, after.length() - 1) : after;
        return text.substring(0, at) + relation + " " + key + (bracketed ? ")" : "");
    }
}

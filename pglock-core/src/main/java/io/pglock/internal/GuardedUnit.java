// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

/**
 * What the sessions that one unit uses, at once or one after the other, have in common: what was asked for, who has been in the
 * way, since when and what was done about it, and who waited behind. Everything but the plan and the findings is under {@code
 * acting}. Not API.
 */
record GuardedUnit(
        PriorityPlan plan,
        Acting acting,
        Findings findings,
        Notices notices,
        Pursuits pursuits,
        Victims.Tally victims) {

    static GuardedUnit of(PriorityPlan plan) {
        Findings findings = new Findings();
        Notices notices = new Notices(plan.listener(), findings);
        return new GuardedUnit(
                plan, new Acting(), findings, notices, new Pursuits(plan, findings, notices), new Victims.Tally());
    }
}

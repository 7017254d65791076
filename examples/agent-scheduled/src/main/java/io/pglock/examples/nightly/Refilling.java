// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

/**
 * Fills again what has become empty.
 *
 * @param <T> where that is
 */
interface Refilling<T> {

    /** All of it, in one transaction. */
    void refill(T shelves);
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

/**
 * One way to lock something for all JVMs that use the same database. What a worker acquires, the same thread releases; different
 * workers may do so at once.
 */
interface Contender extends AutoCloseable {

    /** Waits for the lock where others hold it, as long as it takes, if this way of locking knows how to wait. */
    Hold acquire(int worker, long key) throws Exception;

    @Override
    void close() throws Exception;

    /** A lock that is held. */
    interface Hold {

        void release() throws Exception;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.testkit.Scenario;

/** Locks of one's own session keep the contract. */
class ConnectionLockContractTest extends LockContract {

    ConnectionLockContractTest(Scenario scenario) {
        super(new ConnectionEngine(), scenario);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.testkit.Scenario;

/** Locks of clients keep the contract. */
class ClientLockContractTest extends LockContract {

    ClientLockContractTest(Scenario scenario) {
        super(ClientEngine.clients(), scenario);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.testkit.Scenario;

/** Owners of one client keep the contract among themselves. */
class OwnersLockContractTest extends LockContract {

    OwnersLockContractTest(Scenario scenario) {
        super(ClientEngine.owners(), scenario);
    }
}

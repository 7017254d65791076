// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;

/** What every way to hold an advisory lock promises, whatever it is made of. Where they differ the Javadoc says so. */
@PostgresTest
abstract class LockContract
        implements ExclusionContract, WaitingContract, HandleContract, RunContract, LossContract, FencingContract {

    private final Stage stage;

    LockContract(Engine engine, Scenario scenario) {
        this.stage = new Stage(engine, scenario);
    }

    @Override
    public Stage stage() {
        return stage;
    }

    @AfterEach
    void close() throws SQLException {
        stage.close();
    }
}

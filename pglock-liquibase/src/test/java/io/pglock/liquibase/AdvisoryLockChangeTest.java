// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.CHANGES)
class AdvisoryLockChangeTest extends ChangeScene {

    AdvisoryLockChangeTest(Database database, Scenario scenario) {
        super(database, scenario);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "id=\"42\" | 0/42/1 ExclusiveLock",
                "id=\"-1\" shared=\"true\" | 4294967295/4294967295/1 ShareLock",
                "id=\"7, 42\" | 7/42/2 ExclusiveLock",
                "id=\"(7,-1)\" shared=\"false\" lockTimeout=\"5s\" | 7/4294967295/2 ExclusiveLock",
                "id=\"42\" lockTimeout=\"nowait\" | 0/42/1 ExclusiveLock",
                "id=\"7, 42\" shared=\"true\" lockTimeout=\"nowait\" | 7/42/2 ShareLock"
            })
    void takesTheLockWithThisNumberForTheTransaction(String attributes, String expected) throws Exception {
        String held = heldAtTheGate(oneXml("<pglock:advisoryLock " + attributes + "/>" + gate()));

        assertThat(held).isEqualTo(expected);
        assertThat(held(scenario.session("watcher"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"nightly-report", "Käse '\"\\ $pglock$ ?", "42 cats"})
    void takesTheLockThatAllOfPglockTakesForThisName(String name) throws Exception {
        LockKey key = LockKey.named(name);
        String escaped = name.replace("\"", "&quot;").replace("'", "&apos;");

        for (String wait : new String[] {"nowait", "5s", "none"}) {
            begin(folder);
            assertThat(heldAtTheGate(
                            oneXml("<pglock:advisoryLock key='" + escaped + "' lockTimeout='" + wait + "'/>" + gate())))
                    .isEqualTo(key.classId() + "/" + key.objId() + "/1 ExclusiveLock");
        }
    }

    @Test
    void isRefusedAtOnceNamingWhoHoldsIt() throws Exception {
        Session holder = scenario.session("nightly job");
        holder.begin();
        holder.execute(
                "select pg_advisory_xact_lock(" + LockKey.named("it's $pglock$").number() + ")");

        Throwable failure = awaitFailure(inBackground(
                () -> update(oneXml("<pglock:advisoryLock key='it&apos;s $pglock$' lockTimeout='nowait'/>"))));

        holder.commit();
        assertThat(sqlState(failure)).isEqualTo("55P03");
        assertThat(messages(failure))
                .contains("it's $pglock$ (" + LockKey.named("it's $pglock$").number()
                        + "): not acquired at once, held by pid " + holder.pid()
                        + " (nightly job, idle in transaction)");
    }

    @ParameterizedTest
    @CsvSource({"pg_advisory_xact_lock_shared, none", "pg_advisory_xact_lock, 55P03"})
    void sharesWithThoseWhoShare(String other, String expected) throws Exception {
        Session holder = scenario.session("holder");
        holder.begin();
        holder.execute("select " + other + "(42)");

        String changelog = oneXml("<pglock:advisoryLock id='42' shared='true' lockTimeout='200ms'/>");
        String state = "none";
        try {
            update(changelog);
        } catch (liquibase.exception.LiquibaseException e) {
            state = sqlState(e);
        }

        holder.commit();
        assertThat(state).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"3s", "0"})
    void putsTheLockTimeoutBackThatWasInForce(String before) throws Exception {
        update(oneXml("<sql>set local lock_timeout = '" + before + "'</sql>" + note()
                + "<pglock:advisoryLock id='42' lockTimeout='1234ms'/>" + note()));

        assertThat(noted()).isEqualTo(before + ", " + before);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.List;
import java.util.Map;

/** What JMX shows of the agent, as {@code io.pglock:type=Agent}. Public, because JMX asks for that. Not API. */
public interface AgentMXBean {

    /** Of the agent. */
    String getVersion();

    /** What is in force for the agent as a whole, and by default for all targets; no password. */
    Map<String, String> getSettings();

    /** What is wrong with the settings. */
    List<String> getMistakes();

    /** By pattern: what the methods get, how many are guarded, or why there are none. */
    Map<String, String> getTargets();

    /** By method: what it gets, and what has happened to it. */
    Map<String, String> getMethods();

    /** By method: why it is not guarded, although it should be. */
    Map<String, String> getRefused();

    /** By version and class loader: whether it is supported, or why not. */
    Map<String, String> getDrivers();

    /** By database: what has been found between this process and it. */
    Map<String, String> getPoolers();

    /** Calls of guarded methods that are going on. */
    long getScopesOpen();

    /** Calls of guarded methods so far. */
    long getScopes();

    /** How often a method has waited for a lock of its own. */
    long getWaits();

    /** How long all these waits were together, in milliseconds. */
    long getWaitedMillis();

    /** Locks of methods that were not acquired in time. */
    long getNotAcquired();

    /** Calls that were skipped. */
    long getSkipped();

    /** Calls that were ended with an exception of pglock's. */
    long getRaised();

    /** Attempts after the first. */
    long getRetried();

    /** Signals that were sent to whoever was in the way: a session that is cancelled and then terminated has got two. */
    long getSignals();

    /** Failures of the agent itself. */
    long getFailures();

    /** All of this as text. */
    String status();
}

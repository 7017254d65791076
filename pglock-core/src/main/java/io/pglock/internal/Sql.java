// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

/** Every statement of pglock-core. Lower case, bound or quoted, never pasted. Not API. */
public final class Sql {

    // ---- the session ------------------------------------------------------------------------------------------------

    static final String SESSION_FACTS =
            """
            select pg_backend_pid(), pg_is_in_recovery(), (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text""";

    private Sql() {}
}

// SPDX-License-Identifier: Apache-2.0
import org.postgresql.PGConnection

def server = context.server
try {
    int pid = context.web.unwrap(PGConnection).backendPID
    def log = new File(basedir, 'build.log').text
    assert log.contains("blocked by pid $pid (web, idle in transaction for ")
    assert log.contains("Terminated pid $pid (web, idle in transaction for ")
    assert !context.web.isValid(5)
    context.database.connect('postbuild').withCloseable {
        it.createStatement().execute('select note from orders')
    }
    return true
} finally {
    server.close()
}

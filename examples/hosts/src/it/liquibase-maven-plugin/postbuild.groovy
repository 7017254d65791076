// SPDX-License-Identifier: Apache-2.0
import org.postgresql.PGConnection

def server = context.server
try {
    def log = new File(basedir, 'build.log').text
    context.shops.each { shop ->
        int pid = shop.web.unwrap(PGConnection).backendPID
        assert log.contains("blocked by pid $pid (web, idle in transaction for ")
        assert log.contains("Terminated pid $pid (web, idle in transaction for ")
        assert !shop.web.isValid(5)
        shop.database.connect('postbuild').withCloseable {
            it.createStatement().execute('select note from orders')
        }
    }
    return true
} finally {
    server.close()
}

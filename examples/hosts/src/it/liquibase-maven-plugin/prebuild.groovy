// SPDX-License-Identifier: Apache-2.0
import io.pglock.testkit.PostgresServer

// Of this build alone, and stopped after it: the server that tests share would outlive the class loader of these scripts.
def server = PostgresServer.startEmbedded([:])
context.server = server
context.shops = [first: firstLiquibase, second: secondLiquibase].collect { name, version ->
    def database = server.createDatabase()
    new File(basedir, "${name}.properties").text = """\
liquibase.url = ${database.url()}
liquibase.username = ${database.user()}
liquibase.password = ${database.password()}
liquibase.pglock.prioritize = terminate
liquibase.version = ${version}
"""
    // Somebody has read the table and stays in the transaction.
    def web = database.connect('web')
    web.createStatement().execute('create table orders (id int)')
    web.autoCommit = false
    web.createStatement().execute('select * from orders')
    [database: database, web: web]
}
return true

// SPDX-License-Identifier: Apache-2.0
import io.pglock.testkit.PostgresServer

// Of this build alone, and stopped after it: the server that tests share would outlive the class loader of these scripts.
def server = PostgresServer.startEmbedded([:])
context.server = server
context.shops = [first: firstLiquibase, second: secondLiquibase].collect { name, version ->
    def database = server.createDatabase()
    new File(basedir, "${name}.properties").text = """\
database.url = ${database.url()}
database.user = ${database.user()}
database.password = ${database.password()}
liquibase.version = ${version}
"""
    // Somebody has read the table and stays in the transaction.
    def web = database.connect('web')
    web.createStatement().execute('create schema shop; create table shop.orders (id int)')
    web.autoCommit = false
    web.createStatement().execute('select * from shop.orders')
    [database: database, web: web]
}
return true

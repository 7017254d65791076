// SPDX-License-Identifier: Apache-2.0
import io.pglock.testkit.PostgresServer

// Of this build alone, and stopped after it: the server that tests share would outlive the class loader of these scripts.
def server = PostgresServer.startEmbedded([:])
context.server = server
def database = server.createDatabase()
new File(basedir, 'test.properties').text = """\
flyway.url = ${database.url()}
flyway.user = ${database.user()}
flyway.password = ${database.password()}
flyway.pglock.prioritize = terminate
"""

// Somebody has read the table and stays in the transaction.
def web = database.connect('web')
web.createStatement().execute('create table orders (id int)')
web.autoCommit = false
web.createStatement().execute('select * from orders')
context.database = database
context.web = web
return true

// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.LockMode;
import io.pglock.liquibase.internal.Attributes;
import io.pglock.liquibase.internal.Sql;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import liquibase.change.ChangeMetaData;
import liquibase.change.DatabaseChange;
import liquibase.change.DatabaseChangeProperty;
import liquibase.database.Database;
import liquibase.parser.core.ParsedNode;
import liquibase.resource.ResourceAccessor;
import liquibase.serializer.AbstractLiquibaseSerializable;
import org.jspecify.annotations.Nullable;

/**
 * {@code <pglock:lockTable>}: {@code LOCK TABLE}, so that a changeset waits at its beginning, where it has nothing to lose, and
 * not in the middle. One table by its attributes, or several as {@code table} elements; all in one statement, in the order
 * given.
 *
 * <p>In XML with the namespace {@code http://pglock.io/xml/ns/pglock}, in YAML and JSON as {@code lockTable}:
 *
 * <pre>{@code
 * <pglock:lockTable mode="SHARE ROW EXCLUSIVE" lockTimeout="2s">
 *     <pglock:table tableName="orders"/>
 *     <pglock:table schemaName="billing" tableName="invoices"/>
 * </pglock:lockTable>
 * }</pre>
 *
 * <p>Not thread-safe, as every change.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-lock.html">LOCK</a>
 */
@DatabaseChange(
        name = "lockTable",
        description = "Locks tables for the transaction of the changeset (pglock)",
        priority = ChangeMetaData.PRIORITY_DEFAULT)
public final class LockTableChange extends LockChange {

    private @Nullable String catalogName;
    private @Nullable String schemaName;
    private @Nullable String tableName;
    private List<Table> tables = new ArrayList<>();
    private @Nullable String mode;
    private @Nullable Boolean only;

    /** As Liquibase needs it. */
    public LockTableChange() {}

    /** The table's catalog, as in Liquibase's own changes. */
    @DatabaseChangeProperty(
            description = "Name of the database catalog",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getCatalogName() {
        return catalogName;
    }

    /** The table's catalog, as in Liquibase's own changes. */
    public void setCatalogName(@Nullable String catalogName) {
        this.catalogName = catalogName;
    }

    /** The table's schema; absent, Liquibase's default schema. */
    @DatabaseChangeProperty(
            description = "Name of the database schema",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getSchemaName() {
        return schemaName;
    }

    /** The table's schema; absent, Liquibase's default schema. */
    public void setSchemaName(@Nullable String schemaName) {
        this.schemaName = schemaName;
    }

    /** The table, when it is one. */
    @DatabaseChangeProperty(
            description = "Name of the table to lock; for several, write table elements",
            exampleValue = "orders",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getTableName() {
        return tableName;
    }

    /** The table, when it is one. */
    public void setTableName(@Nullable String tableName) {
        this.tableName = tableName;
    }

    /** The tables, when they are several: the live list. */
    @DatabaseChangeProperty(
            description = "The tables to lock, in this order",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public List<Table> getTables() {
        return tables;
    }

    /** The tables, when they are several. */
    public void setTables(List<Table> tables) {
        this.tables = new ArrayList<>(tables);
    }

    /** One of PostgreSQL's eight modes; absent, {@code ACCESS EXCLUSIVE}. */
    @DatabaseChangeProperty(
            description = "One of PostgreSQL's eight lock modes; ACCESS EXCLUSIVE if absent",
            exampleValue = "SHARE ROW EXCLUSIVE",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getMode() {
        return mode;
    }

    /** One of PostgreSQL's eight modes, upper or lower case: {@code SHARE ROW EXCLUSIVE}. */
    public void setMode(@Nullable String mode) {
        this.mode = mode;
    }

    /** Whether the tables' partitions and children are left out. */
    @DatabaseChangeProperty(
            description = "true: the tables themselves, without their partitions and children",
            exampleValue = "true",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable Boolean getOnly() {
        return only;
    }

    /** {@code true} leaves the tables' partitions and children out. */
    public void setOnly(@Nullable Boolean only) {
        this.only = only;
    }

    @Override
    Set<String> elements() {
        return Set.of(Table.ELEMENT);
    }

    @Override
    Set<String> flags() {
        return Set.of("only");
    }

    @Override
    List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        tables.forEach(table -> mistakes.addAll(table.misread));
        boolean oneByAttribute = tableName != null;
        if (oneByAttribute && !tables.isEmpty()) {
            mistakes.add("pglock: lockTable has a tableName and table elements; write one or the other");
        } else if (!oneByAttribute && (schemaName != null || catalogName != null) && !tables.isEmpty()) {
            mistakes.add(
                    "pglock: lockTable has a schemaName or catalogName beside its table elements; write it at each of them");
        }
        if (allTables().stream().anyMatch(table -> Attributes.isBlank(table.tableName))) {
            mistakes.add(
                    "pglock: lockTable has no tableName; write tableName=\"orders\", or a table element for each of several");
        }
        collect(mistakes, () -> Attributes.mode(mode));
        return mistakes;
    }

    /** In the order given; one without a name when there is none. */
    private List<Table> allTables() {
        return tables.isEmpty() ? List.of(new Table(catalogName, schemaName, tableName)) : tables;
    }

    @Override
    String sql(Database database) {
        List<String> names = allTables().stream()
                .map(table -> database.escapeTableName(table.catalogName, table.schemaName, table.tableName))
                .toList();
        return Sql.lockTable(names, Attributes.mode(mode), Boolean.TRUE.equals(only), lockWait());
    }

    private String names() {
        return allTables().stream().map(Table::toString).collect(Collectors.joining(", "));
    }

    @Override
    public String getDescription() {
        return getSerializedObjectName() + " " + names();
    }

    @Override
    public String getConfirmationMessage() {
        LockMode lockMode = Attributes.mode(mode);
        return names() + " locked in " + lockMode.sql() + " mode until the end of the transaction";
    }

    /** One of several tables to lock. Not thread-safe, as every part of a change. */
    public static final class Table extends AbstractLiquibaseSerializable {

        static final String ELEMENT = "table";

        private final List<String> misread = new ArrayList<>();
        private @Nullable String catalogName;
        private @Nullable String schemaName;
        private @Nullable String tableName;

        /** As Liquibase needs it. */
        public Table() {}

        /** This table in this schema; without one, in Liquibase's default schema. */
        public Table(@Nullable String schemaName, String tableName) {
            this(null, schemaName, tableName);
        }

        private Table(@Nullable String catalogName, @Nullable String schemaName, @Nullable String tableName) {
            this.catalogName = catalogName;
            this.schemaName = schemaName;
            this.tableName = tableName;
        }

        /** Its catalog, as in Liquibase's own changes. */
        public @Nullable String getCatalogName() {
            return catalogName;
        }

        /** Its catalog, as in Liquibase's own changes. */
        public void setCatalogName(@Nullable String catalogName) {
            this.catalogName = catalogName;
        }

        /** Its schema; absent, Liquibase's default schema. */
        public @Nullable String getSchemaName() {
            return schemaName;
        }

        /** Its schema; absent, Liquibase's default schema. */
        public void setSchemaName(@Nullable String schemaName) {
            this.schemaName = schemaName;
        }

        /** Its name. */
        public @Nullable String getTableName() {
            return tableName;
        }

        /** Its name. */
        public void setTableName(@Nullable String tableName) {
            this.tableName = tableName;
        }

        @Override
        public Set<String> getSerializableFields() {
            return Set.of("catalogName", "schemaName", "tableName");
        }

        @Override
        public String getSerializedObjectName() {
            return ELEMENT;
        }

        @Override
        public String getSerializedObjectNamespace() {
            return GENERIC_CHANGELOG_EXTENSION_NAMESPACE;
        }

        /** Several tables in a list without their {@code table:} arrive as one node that has everything twice. */
        @Override
        public void load(ParsedNode node, ResourceAccessor resources) {
            misread.addAll(Attributes.unknown(ELEMENT, node, getSerializableFields()));
            catalogName = read(node, "catalogName");
            schemaName = read(node, "schemaName");
            tableName = read(node, "tableName");
            if (node.getValue() != null) {
                misread.add("pglock: a table of lockTable is \"" + node.getValue()
                        + "\"; write table: {tableName: ...} for each");
            }
        }

        private @Nullable String read(ParsedNode node, String name) {
            List<ParsedNode> found = node.getChildren(null, name);
            if (found.size() > 1) {
                misread.add("pglock: a table of lockTable has " + found.size() + " of " + name
                        + "; write table: {tableName: ...}" + " for each table");
            }
            return found.isEmpty() || found.get(0).getValue() == null
                    ? null
                    : found.get(0).getValue().toString();
        }

        /** {@code billing.invoices}, as in the changelog. */
        @Override
        public String toString() {
            return (schemaName == null ? "" : schemaName + ".") + tableName;
        }
    }
}

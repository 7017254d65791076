// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** What {@link PostgresTest} does. */
public final class PostgresExtension
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(PostgresExtension.class);
    private static final Set<Class<?>> OF_THE_CLASS = Set.of(PostgresServer.class, Database.class, DataSource.class);
    private static final Set<Class<?>> OF_THE_TEST = Set.of(Connection.class, Scenario.class);

    /** Creates the database of the class. */
    @Override
    public void beforeAll(ExtensionContext context) {
        databaseOf(context);
    }

    /** Remembers what is there before the test. */
    @Override
    public void beforeEach(ExtensionContext context) {
        stageOf(context);
    }

    /** Closes what the test has opened, and fails it if something is left. */
    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        var announced = EnumSet.noneOf(Leftover.class);
        context.getElement()
                .ifPresent(method -> announce(AnnotationSupport.findAnnotation(method, Leaves.class), announced));
        context.getTestClass()
                .ifPresent(type -> announce(AnnotationSupport.findAnnotation(type, Leaves.class), announced));
        Duration patience = context.getConfigurationParameter("pglock.test.patience", Duration::parse)
                .orElse(Duration.ofSeconds(5));
        stageOf(context).strike(announced, patience);
    }

    private static void announce(Optional<Leaves> leaves, Set<Leftover> announced) {
        leaves.ifPresent(left -> announced.addAll(List.of(left.what())));
    }

    /** An instance per test gets connections of that test, in its constructor too. */
    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext rootContext) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return OF_THE_CLASS.contains(type) || OF_THE_TEST.contains(type);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        if (type == PostgresServer.class) {
            return PostgresServer.shared();
        }
        if (type == Database.class) {
            return databaseOf(context).database();
        }
        if (type == DataSource.class) {
            return databaseOf(context).database().dataSource();
        }
        if (context.getTestMethod().isEmpty()) {
            throw new ParameterResolutionException(type.getSimpleName()
                    + " belongs to one test: ask for it in the test, in @BeforeEach or @AfterEach");
        }
        return type == Scenario.class
                ? stageOf(context).scenario()
                : stageOf(context).connect();
    }

    private static ClassDatabase databaseOf(ExtensionContext context) {
        // A nested class finds the one of the outer class.
        return context.getStore(NAMESPACE).computeIfAbsent(ClassDatabase.class);
    }

    private static Stage stageOf(ExtensionContext context) {
        return context.getStore(NAMESPACE)
                .computeIfAbsent(Stage.class, absent -> new Stage(databaseOf(context)), Stage.class);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pglock.LockMode;
import io.pglock.LockPolicy;
import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.Source;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import liquibase.Scope;
import liquibase.change.Change;
import liquibase.change.ChangeFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The schema in the jar: found without a network, and saying what the code says. */
@Proves(Capability.SCHEMA)
class ChangeSchemaTest extends ChangeScene {

    private static final String NAMESPACE = "http://pglock.io/xml/ns/pglock";

    /** Those of the whole run, which no changeset has of its own. */
    private static final Set<String> OF_THE_RUN =
            Set.of("monitorUrl", "monitorUser", "monitorPassword", "monitorRequired", "report");

    ChangeSchemaTest(Database database, Scenario scenario) {
        super(database, scenario);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://pglock.io/xml/ns/pglock/pglock-latest.xsd",
                "https://pglock.io/xml/ns/pglock/pglock-latest.xsd",
                "http://pglock.io/xml/ns/pglock/0.1/pglock.xsd"
            })
    void isFoundInTheJarAndNowhereElse(String location) throws Exception {
        String changelog =
                replaced(oneXml("<pglock:lockTable tableName='orders'/>"), NAMESPACE + "/pglock-latest.xsd", location);

        assertThat(withoutNetwork(() -> update(changelog))).isEmpty();

        assertThat(scenario.session("watcher").value("select count(*) from databasechangelog"))
                .isEqualTo("1");
    }

    /** What the test above would see if the schema were not there. */
    @Test
    void wouldBeMissed() throws Exception {
        String changelog =
                replaced(oneXml("<pglock:lockTable tableName='orders'/>"), "pglock-latest.xsd", "pglock-none.xsd");

        assertThatThrownBy(() -> update(changelog)).hasMessageContaining("pglock-none.xsd");
    }

    /** And what it would see if Liquibase went and looked for one. */
    @Test
    void wouldBeSeenToBeLookedFor() throws Exception {
        URI schema = URI.create(NAMESPACE + "/pglock-none.xsd");

        List<URI> asked =
                withoutNetwork(() -> assertThatThrownBy(() -> schema.toURL().openStream()));

        assertThat(asked).contains(schema);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "<pglock:lockTabel tableName='orders'/> | lockTabel'. Check for spelling",
                "<pglock:lockTable tabelName='orders'/> | Attribute 'tabelName' is not allowed to appear in element 'pglock:lockTable'",
                "<pglock:lockTable><pglock:table schemaName='a'/></pglock:lockTable> | Attribute 'tableName' must appear on element 'pglock:table'",
                "<pglock:lockTable tableName='orders' mode='SHAER'/> | 'SHAER' is not a valid value of union type 'lock-mode'",
                "<pglock:lockTable tableName='orders' lockTimeout='5'/> | '5' is not a valid value of union type 'duration-like-5s-or-nowait-or-none'",
                "<pglock:advisoryLock id='a'/> | 'a' is not a valid value of union type 'number-or-two-numbers'"
            })
    void findsMistakesInElements(String change, String message) throws Exception {
        String changelog = oneXml(change);

        assertThat(messages(catchThrowable(() -> update(changelog)))).contains(message);
    }

    /** A misspelt name of an attribute of a changeset is beyond a schema: Liquibase's allows any attribute of others. */
    @Test
    void findsMistakesInSettingsOfAChangeset() throws Exception {
        String changelog =
                xml("<changeSet id='1' author='test' pglock:lockTimeout='5'><tagDatabase tag='a'/></changeSet>");

        assertThat(messages(catchThrowable(() -> update(changelog))))
                .contains("line 7", "'5' is not a valid value of union type 'duration-like-5s-or-none'");
    }

    @Test
    void hasTheSettingsThatAChangesetCanHaveWithTheirMeaning() throws Exception {
        Map<String, String> expected = new LinkedHashMap<>();
        LockPolicy.keys().stream()
                .filter(key -> !OF_THE_RUN.contains(key))
                .forEach(key -> expected.put(key, LockPolicy.meaning(key)));

        Map<String, String> actual = new LinkedHashMap<>();
        for (Element attribute : children(schemaElement(), "attribute")) {
            String documentation = attribute.getTextContent().strip().replaceAll("\\s+", " ");
            actual.put(attribute.getAttribute("name"), documentation);
        }

        assertThat(actual).containsExactlyEntriesOf(expected);
    }

    @Test
    void hasTheAttributesThatTheChangesHave() throws Exception {
        for (Change change : List.of(new LockTableChange(), new AdvisoryLockChange())) {
            String name = change.getSerializedObjectName();
            Set<String> parameters = Scope.getCurrentScope()
                    .getSingleton(ChangeFactory.class)
                    .getChangeMetaData(change)
                    .getParameters()
                    .keySet();
            for (String parameter : parameters) {
                String element = parameter.equals("tables")
                        ? "<" + name + " xmlns='" + NAMESPACE + "'><table tableName='a'/></" + name + ">"
                        : "<" + name + " xmlns='" + NAMESPACE + "' " + parameter + "='${a}'/>";
                assertThat(problem(element)).as(element).isEmpty();
            }
        }
    }

    @Test
    void hasPostgresEightModes() {
        for (LockMode mode : LockMode.values()) {
            for (String text : List.of(mode.sql(), mode.sql().toLowerCase(Locale.ROOT))) {
                assertThat(problem("<lockTable xmlns='" + NAMESPACE + "' tableName='a' mode='" + text + "'/>"))
                        .isEmpty();
            }
        }
    }

    /** It may let a mistake through, which is found later; but never refuse what is right. */
    @Test
    void allowsWhatTheSettingsAllow() {
        List<String> texts = List.of(
                "none",
                "500ms",
                "5s",
                "2m",
                "1h",
                "PT2S",
                "PT1M30S",
                "0s",
                "1",
                "10",
                "true",
                "false",
                "off",
                "report",
                "cancel",
                "terminate",
                "pg_dump",
                "pg_dump,my app");
        int allowed = 0;
        for (String key : LockPolicy.keys()) {
            for (String text : texts) {
                if (!OF_THE_RUN.contains(key) && isRight(key, text)) {
                    assertThat(problem("<host xmlns:p='" + NAMESPACE + "' p:" + key + "='" + text + "'/>"))
                            .as(key + "=" + text)
                            .isEmpty();
                    allowed++;
                }
            }
        }
        assertThat(allowed).isGreaterThan(LockPolicy.keys().size());
    }

    @ParameterizedTest
    @CsvSource({
        "lockTimeout, 5",
        "pollInterval, none",
        "prioritize, Cancel",
        "retryAttempts, two",
        "enabled, 1",
        "lockTimeout, 5sec"
    })
    void refusesWhatTheSettingsRefuse(String key, String text) {
        assertThat(isRight(key, text)).isFalse();
        assertThat(problem("<host xmlns:p='" + NAMESPACE + "' p:" + key + "='" + text + "'/>"))
                .contains("'" + text + "'");
    }

    private static boolean isRight(String key, String text) {
        try {
            LockPolicy.parse(Map.of(key, text));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** What is wrong with it; empty if nothing is. */
    private static String problem(String xml) {
        try {
            schema().newValidator().validate(new StreamSource(new StringReader(xml)));
            return "";
        } catch (SAXException e) {
            return e.getMessage();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Ours, and an element that takes its attributes. */
    private static Schema schema() throws SAXException {
        return SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI)
                .newSchema(new Source[] {new StreamSource(url().toString()), new StreamSource(new StringReader("""
                    <schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="host"><complexType>
                        <anyAttribute namespace="##other" processContents="strict"/>
                    </complexType></element></schema>"""))});
    }

    private static Element schemaElement() throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(url().toString()).getDocumentElement();
    }

    private static URL url() {
        return ChangeSchemaTest.class.getResource("/pglock.io/xml/ns/pglock/pglock-latest.xsd");
    }

    private static List<Element> children(Element parent, String name) {
        List<Element> found = new ArrayList<>();
        NodeList children = parent.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
            if (children.item(i) instanceof Element element && name.equals(element.getLocalName())) {
                found.add(element);
            }
        }
        return found;
    }

    private String replaced(String file, String part, String other) throws Exception {
        return write(file, Files.readString(folder.resolve(file)).replace(part, other));
    }

    private static final Proxy NOBODY =
            new Proxy(Proxy.Type.HTTP, new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));

    private interface Run {
        void run() throws Exception;
    }

    /** Every look at the web fails; gives which schemas were looked for. Newer Liquibases ask for other things of their own. */
    private static List<URI> withoutNetwork(Run run) throws Exception {
        List<URI> asked = new ArrayList<>();
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                if (uri.getScheme().startsWith("http")) {
                    asked.add(uri);
                    return List.of(NOBODY);
                }
                return List.of(Proxy.NO_PROXY);
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException e) {}
        });
        try {
            run.run();
        } finally {
            ProxySelector.setDefault(before);
        }
        return asked.stream().filter(uri -> uri.getPath().endsWith(".xsd")).toList();
    }
}

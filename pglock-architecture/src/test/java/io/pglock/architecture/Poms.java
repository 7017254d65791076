// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** What the POMs say. */
final class Poms {

    private Poms() {}

    static Document read(Path pom) throws IOException {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile());
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException(pom + ": cannot be read", e);
        }
    }

    /** The artifacts with classes that are deployed, by their ids. */
    static List<String> published(Path root) throws IOException {
        List<String> published = new ArrayList<>();
        for (String module : texts(read(root.resolve("pom.xml")), "module")) {
            Document pom = read(root.resolve(module).resolve("pom.xml"));
            if (!texts(pom, "maven.deploy.skip").contains("true")
                    && !texts(pom, "packaging").contains("pom")) {
                published.add(texts(pom, "artifactId").get(1));
            }
        }
        return published;
    }

    /** The text of every element of that name, in order. */
    static List<String> texts(Document pom, String name) {
        NodeList found = pom.getElementsByTagName(name);
        return IntStream.range(0, found.getLength())
                .mapToObj(found::item)
                .map(node -> node.getTextContent().strip())
                .toList();
    }
}

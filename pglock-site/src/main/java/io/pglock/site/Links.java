// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Tells where a destination that is written on a page leads. Immutable. */
final class Links {

    private final Documentation documentation;

    Links(Documentation documentation) {
        this.documentation = documentation;
    }

    Target resolve(Page page, String destination) {
        URI uri;
        try {
            uri = new URI(destination);
        } catch (URISyntaxException e) {
            return new Target.Broken("the link " + destination + " is none: " + e.getReason());
        }
        if (uri.getScheme() != null) {
            return switch (uri.getScheme().toLowerCase(Locale.ROOT)) {
                case "https", "http", "mailto" -> new Target.Elsewhere(destination);
                default -> new Target.Broken("the link " + destination + " is neither a web page's nor a file's");
            };
        }
        if (uri.getPath() == null || uri.getPath().startsWith("/") || uri.getAuthority() != null) {
            return new Target.Broken("the link " + destination + " does not say where from");
        }
        if (uri.getPath().isEmpty()) {
            return anchor(page, uri.getFragment(), destination);
        }
        // a folder of its own, so that what leads out of the documentation can be told
        String path = URI.create("/in/docs/" + page.path())
                .resolve(uri.getRawPath())
                .normalize()
                .getPath();
        if (path.startsWith("/in/docs/")) {
            return inDocumentation(path.substring("/in/docs/".length()), uri, destination);
        }
        String inRepository = path.startsWith("/in/") ? path.substring("/in/".length()) : "";
        return !inRepository.isEmpty() && documentation.isInRepository(inRepository)
                ? new Target.Source(inRepository)
                : new Target.Broken("the link " + destination + " leads to nothing in the repository");
    }

    private Target inDocumentation(String path, URI uri, String destination) {
        Page page = documentation.pages().get(path);
        if (page != null) {
            return anchor(page, uri.getFragment(), destination);
        }
        return documentation.others().contains(path)
                ? new Target.Asset(path, destination)
                : new Target.Broken("the link " + destination + " leads to no page and no file");
    }

    private static Target anchor(Page to, @Nullable String id, String destination) {
        if (id != null && !to.hasAnchor(id)) {
            return new Target.Broken("the link " + destination + " leads to a heading that " + to.path() + " has not");
        }
        int end = destination.indexOf('#') < 0 ? destination.length() : destination.indexOf('#');
        String path = destination.substring(0, end);
        return new Target.OnSite(
                (path.isEmpty() ? "" : Page.address(path)) + destination.substring(end), to.titleOrPath());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

/** Where a link or a picture leads. */
sealed interface Target {

    /** Out into the world. */
    record Elsewhere(String url) implements Target {}

    /**
     * To a page, or a place on one.
     *
     * @param title of the page
     */
    record OnSite(String href, String title) implements Target {}

    /**
     * To a file that the site takes along: a picture, figures.
     *
     * @param path below the folder of the documentation
     */
    record Asset(String path, String href) implements Target {}

    /**
     * To a file or folder of the repository that is not documentation.
     *
     * @param path from the root of the repository
     */
    record Source(String path) implements Target {}

    /** Nowhere. */
    record Broken(String why) implements Target {}
}

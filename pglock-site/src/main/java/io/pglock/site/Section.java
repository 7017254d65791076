// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

/**
 * A heading of a page, and what stands below it.
 *
 * @param level 1 for the title of the page
 * @param id what a link to it has behind its {@code #}, the same as on a forge that shows the Markdown
 * @param title without markup
 */
record Section(int level, String id, String title) {}

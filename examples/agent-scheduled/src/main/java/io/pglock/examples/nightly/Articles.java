// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.nightly;

import java.util.List;
import org.springframework.data.repository.Repository;

interface Articles extends Repository<Article, Integer> {
    List<Article> findAll();
}

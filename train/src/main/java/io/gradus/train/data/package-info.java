/**
 * Where training text comes from and how it becomes blocks of tokens. {@link io.gradus.train.data.Corpus} names the
 * built-in corpora, which {@link io.gradus.train.data.JavaSources} reads from the sources jars that Maven brings.
 */
@NullMarked
package io.gradus.train.data;

import org.jspecify.annotations.NullMarked;

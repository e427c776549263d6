/**
 * Where training text comes from and how it becomes batches of tokens. {@link io.gradus.train.data.Documents} reads texts,
 * prompts with completions, chats and labelled texts as a {@link io.gradus.train.data.DataFormat} says;
 * {@link io.gradus.train.data.ChatTemplate} writes a chat as its model knows it, and
 * {@link io.gradus.train.data.TokenizedDocument} says which tokens count towards the loss. {@link io.gradus.train.data.Blocks}
 * are documents in rows of equal length, a {@link io.gradus.train.data.Mixture} is several of them with their shares, and
 * {@link io.gradus.train.data.Batches} are drawn from it. {@link io.gradus.train.data.Corpus} names the built-in corpora,
 * which {@link io.gradus.train.data.JavaSources} reads from the sources jars that Maven brings.
 */
@NullMarked
package io.gradus.train.data;

import org.jspecify.annotations.NullMarked;

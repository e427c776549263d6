/**
 * Training text, and how it becomes batches of tokens. {@link io.gradus.data.Documents} reads texts,
 * prompts with completions, chats and labeled texts as a {@link io.gradus.data.DataFormat} says;
 * {@link io.gradus.data.chat.ChatTemplate} writes a chat as its model knows it, and
 * {@link io.gradus.data.TokenizedDocument} says which tokens count toward the loss. {@link io.gradus.data.Blocks}
 * are documents in rows of equal length, a {@link io.gradus.data.Mixture} is several of them with their shares, and
 * {@link io.gradus.data.Batches} are drawn from it.
 */
@NullMarked
package io.gradus.data;

import org.jspecify.annotations.NullMarked;

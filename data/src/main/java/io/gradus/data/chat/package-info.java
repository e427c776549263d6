/**
 * Chats and how a model knows them: {@link io.gradus.data.chat.ChatTemplate} writes {@link io.gradus.data.chat.ChatMessage}s as
 * text with the model's own template, and finds the answers in it, which the model is trained on.
 */
@NullMarked
package io.gradus.data.chat;

import org.jspecify.annotations.NullMarked;

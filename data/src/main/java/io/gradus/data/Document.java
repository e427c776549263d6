package io.gradus.data;

import io.gradus.data.chat.ChatMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** An independent piece of training text. */
public sealed interface Document {

    /**
     * A text, all of which is trained on.
     *
     * @param text including white space
     */
    record Text(String text) implements Document {}

    /**
     * A text in a file, all of which is trained on. It takes no memory, because it is read when it is used.
     *
     * @param file in UTF-8
     * @param from the index of the first byte, at which a character begins
     * @param to the index after the last byte
     */
    record TextFile(Path file, long from, long to) implements Document {

        /** Reads the text. The reader need not be closed. */
        public Reader open() {
            return new Utf8Reader(file, from, to);
        }

        /**
         * The beginning of the text.
         *
         * @param length in characters, at most
         * @throws UncheckedIOException if the file cannot be read
         */
        public String beginning(int length) {
            char[] characters = new char[length];
            try (Reader reader = new BufferedReader(open())) {
                int count = 0;
                for (int read = 0; read >= 0 && count < length; count += Math.max(0, read)) {
                    read = reader.read(characters, count, length - count);
                }
                return String.valueOf(characters, 0, count);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * A prompt with its completion; only the completion is trained on.
     *
     * @param prompt is read but not trained on
     * @param completion follows the prompt directly; a space between the two must be in one of them
     */
    record PromptCompletion(String prompt, String completion) implements Document {}

    /**
     * A chat; only the messages of the assistant are trained on.
     *
     * @param messages at least one
     * @param variables more values for the chat template: {@code tools} that the assistant can call, {@code documents}
     */
    record Chat(List<ChatMessage> messages, Map<String, Object> variables) implements Document {
        public Chat {
            messages = List.copyOf(messages);
            variables = Map.copyOf(variables);
        }

        /** A chat of messages only. */
        public Chat(List<ChatMessage> messages) {
            this(messages, Map.of());
        }
    }
}

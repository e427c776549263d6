package io.gradus.data;

import io.gradus.data.chat.ChatTemplate;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The format of training files, and how examples are written as text.
 *
 * @param kind the expected contents of the files
 * @param chatTemplate how chats are written; null if there are none
 * @param labels how labeled texts are written
 */
public record DataFormat(Kind kind, @Nullable ChatTemplate chatTemplate, LabelTemplate labels) {
    /** Any format, without chats. */
    public static final DataFormat AUTO = new DataFormat(Kind.AUTO, null, LabelTemplate.DEFAULT);

    /** The expected contents of files. */
    public enum Kind {
        /** Determined by extension and keys: {@code .jsonl} by the keys of each line, {@code .csv} and {@code .tsv} as labeled
         * texts, other files as text. */
        AUTO,
        /** Text: lines of <code>{"text": …}</code>, or plain files. */
        TEXT,
        /** Lines of <code>{"prompt": …, "completion": …}</code>. */
        PROMPT_COMPLETION,
        /** Lines of <code>{"messages": [{"role": …, "content": …}, …]}</code>. */
        CHAT,
        /** Labeled texts: {@link LabeledTexts}. */
        CSV;

        /** The name in recipes, such as {@code prompt_completion}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}

package io.gradus.data;

import io.gradus.data.tokenizer.Tokenizer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What training text looks like in its files, and how examples become text.
 *
 * @param kind which files are read, and what their lines must be
 * @param chatTemplate how chats are written; null when there are none
 * @param labels how a labelled text becomes a prompt and its completion
 */
public record DataFormat(Kind kind, @Nullable ChatTemplate chatTemplate, LabelTemplate labels) {
    /** Whatever is there, without chats. */
    public static final DataFormat AUTO = new DataFormat(Kind.AUTO, null, LabelTemplate.DEFAULT);

    /** The same with a template, where none is named: the one whose special tokens the tokeniser has, if any. */
    public DataFormat withTemplateOf(Tokenizer tokenizer) {
        return chatTemplate != null
                ? this
                : new DataFormat(kind, ChatTemplate.suggestedBy(tokenizer).orElse(null), labels);
    }

    /** What the files hold. */
    public enum Kind {
        /** A {@code .jsonl} file by the keys of each line, a {@code .csv} or {@code .tsv} file as labelled texts, others as text. */
        AUTO,
        /** Text: lines of <code>{"text": …}</code>, or files as they are. */
        TEXT,
        /** Lines of <code>{"prompt": …, "completion": …}</code>. */
        PROMPT_COMPLETION,
        /** Lines of <code>{"messages": [{"role": …, "content": …}, …]}</code>. */
        CHAT,
        /** Labelled texts: {@link LabelledTexts}. */
        CSV;

        /** As {@code prompt_completion}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}

package io.gradus.data.tokenizer;

import java.util.Set;
import java.util.stream.IntStream;

/** Encodes prompts as a model expects them, and decodes continuations. */
public final class Prompts {
    private Prompts() {}

    /**
     * The tokens of a prompt, preceded by bos if the model expects it; only bos for an empty prompt.
     *
     * @throws IllegalArgumentException if the prompt is empty and the tokenizer has no bos token
     */
    public static int[] encode(Tokenizer tokenizer, String prompt) {
        int[] ids = LongText.encode(tokenizer, prompt);
        if (tokenizer.bos().isPresent() && (tokenizer.addsBos() || ids.length == 0)) {
            return IntStream.concat(IntStream.of(tokenizer.bos().getAsInt()), IntStream.of(ids))
                    .toArray();
        }
        if (ids.length == 0) {
            throw new IllegalArgumentException("the prompt is empty, and the tokenizer has no bos token to begin with");
        }
        return ids;
    }

    /** The tokens at which generation stops. */
    public static Set<Integer> stops(Tokenizer tokenizer) {
        return tokenizer.eosIds();
    }

    /** The text of the continuation, without that of the prompt. */
    public static String continuation(Tokenizer tokenizer, int[] prompt, int[] written) {
        String head = tokenizer.decode(prompt);
        String whole = tokenizer.decode(
                IntStream.concat(IntStream.of(prompt), IntStream.of(written)).toArray());
        return whole.startsWith(head) ? whole.substring(head.length()) : tokenizer.decode(written);
    }
}

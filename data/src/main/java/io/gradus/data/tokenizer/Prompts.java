package io.gradus.data.tokenizer;

import java.util.Set;
import java.util.stream.IntStream;

/** Prompts as the model expects them, and its answers as text. */
public final class Prompts {
    private Prompts() {}

    /**
     * The tokens of a prompt, with the token that begins a text in front where the model has one; for an empty prompt that
     * token alone.
     *
     * @throws IllegalArgumentException when the prompt is empty and nothing can begin a text
     */
    public static int[] encode(Tokenizer tokenizer, String prompt) {
        int[] ids = tokenizer.encode(prompt);
        if (tokenizer.bos().isPresent() && (tokenizer.addsBos() || ids.length == 0)) {
            return IntStream.concat(IntStream.of(tokenizer.bos().getAsInt()), IntStream.of(ids))
                    .toArray();
        }
        if (ids.length == 0) {
            throw new IllegalArgumentException("the prompt is empty, and the tokeniser has no bos token to begin with");
        }
        return ids;
    }

    /** The tokens that end a text. */
    public static Set<Integer> stops(Tokenizer tokenizer) {
        return tokenizer.eosIds();
    }

    /** What was written after the prompt: the text of all tokens without that of the prompt's. */
    public static String continuation(Tokenizer tokenizer, int[] prompt, int[] written) {
        String head = tokenizer.decode(prompt);
        String whole = tokenizer.decode(
                IntStream.concat(IntStream.of(prompt), IntStream.of(written)).toArray());
        return whole.startsWith(head) ? whole.substring(head.length()) : tokenizer.decode(written);
    }
}

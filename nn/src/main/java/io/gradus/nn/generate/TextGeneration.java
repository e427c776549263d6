package io.gradus.nn.generate;

import io.gradus.autograd.Autograd;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.LanguageModel.Input;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Appends tokens to a text one at a time.
 *
 * @param sampling how each is chosen
 * @param maxTokens how many at most
 * @param stopIds tokens that end the text, such as end-of-text; they are not returned
 * @param useCache keep keys and values between tokens; without, every token reads the whole text again, which gives the same
 */
public record TextGeneration(Sampling sampling, int maxTokens, Set<Integer> stopIds, boolean useCache) {

    /** Why a text ended. */
    public enum End {
        /** The model wrote a stop token. */
        STOP,
        /** As many tokens as were asked for. */
        MAX_TOKENS,
        /** The model can see no more tokens. */
        CONTEXT_FULL
    }

    /**
     * What was written.
     *
     * @param ids the new tokens, without the prompt
     * @param end why there are no more
     */
    public record Result(int[] ids, End end) {}

    public TextGeneration {
        if (maxTokens < 0) {
            throw new IllegalArgumentException("max-tokens is " + maxTokens + "; it must be 0 or more");
        }
        stopIds = Set.copyOf(stopIds);
    }

    /**
     * Writes on from a prompt.
     *
     * @param prompt at least one token
     * @param each is given every new token as soon as it is chosen
     * @throws IllegalArgumentException when the prompt is empty or longer than the model's context
     */
    public Result generate(LanguageModel model, int[] prompt, IntConsumer each) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("generate: the prompt has no tokens; begin with the model's bos token");
        }
        if (prompt.length > model.contextLength()) {
            throw new IllegalArgumentException("generate: the prompt has " + prompt.length
                    + " tokens and the model sees " + model.contextLength() + "; shorten it");
        }
        boolean wasTraining = model.isTraining();
        model.eval();
        int capacity = (int) Math.min(model.contextLength(), (long) prompt.length + maxTokens);
        KeyValueCache cache = model.newCache(capacity);
        try {
            return Autograd.noGrad(() -> run(model, prompt, each, cache, capacity));
        } finally {
            cache.release();
            model.train(wasTraining);
        }
    }

    private Result run(LanguageModel model, int[] prompt, IntConsumer each, KeyValueCache cache, int capacity) {
        int[] text = Arrays.copyOf(prompt, capacity);
        int length = prompt.length;
        List<Integer> written = new ArrayList<>();
        while (written.size() < maxTokens) {
            int from = useCache ? Math.toIntExact(cache.length()) : 0;
            int[] unread = Arrays.copyOfRange(text, from, length);
            int next = sampling.choose(scores(model, unread, cache), written.size());
            if (stopIds.contains(next)) {
                return result(written, End.STOP);
            }
            written.add(next);
            each.accept(next);
            if (written.size() < maxTokens && length == model.contextLength()) {
                return result(written, End.CONTEXT_FULL);
            }
            if (length < capacity) {
                text[length++] = next;
            }
        }
        return result(written, End.MAX_TOKENS);
    }

    /** The scores after the last of some tokens that the model has not read yet. */
    private float[] scores(LanguageModel model, int[] unread, KeyValueCache cache) {
        try (Scope _ = Scope.open("generate")) {
            Tensor ids = Tensor.of(model.device(), unread, 1, unread.length);
            Tensor logits = model.forward(useCache ? Input.next(ids, cache) : Input.of(ids))
                    .value();
            return logits.reshape(unread.length, model.vocabSize())
                    .slice(unread.length - 1L, unread.length)
                    .toFloats();
        }
    }

    private static Result result(List<Integer> written, End end) {
        return new Result(written.stream().mapToInt(Integer::intValue).toArray(), end);
    }
}

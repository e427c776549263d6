package io.gradus.nn.generate;

import io.gradus.autograd.Autograd;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.NonFinite;
import io.gradus.nn.NonFiniteException;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Generates text: appends tokens to a prompt, one at a time.
 *
 * @param sampling how each token is chosen
 * @param maxTokens the largest number of new tokens
 * @param stopIds tokens that end the text, such as end-of-text; they are not returned
 * @param useCache whether to keep keys and values between tokens; otherwise the model reads the whole text again for each
 *     token, with the same result
 */
public record TextGeneration(Sampling sampling, int maxTokens, Set<Integer> stopIds, boolean useCache) {

    /** Why generation ended. */
    public enum End {
        /** The model generated a stop token. */
        STOP,
        /** The largest number of tokens was reached. */
        MAX_TOKENS,
        /** The context of the model is full. */
        CONTEXT_FULL
    }

    /**
     * The generated text.
     *
     * @param ids the new tokens, without the prompt
     * @param end why generation ended
     */
    public record Result(int[] ids, End end) {}

    public TextGeneration {
        if (maxTokens < 0) {
            throw new IllegalArgumentException("max-tokens is " + maxTokens + "; it must be 0 or more");
        }
        stopIds = Set.copyOf(stopIds);
    }

    /**
     * Continues a prompt, in evaluation mode and without gradients. The model's mode is restored afterwards.
     *
     * @param prompt at least one token
     * @param onToken receives every new token as soon as it is chosen
     * @throws IllegalArgumentException if the prompt is empty or longer than the model's context
     * @throws NonFiniteException if logits are NaN or infinite; names the weight or the layer
     */
    public Result generate(LanguageModel model, int[] prompt, IntConsumer onToken) {
        KeyValueCache cache = model.newCache((int) Math.min(model.contextLength(), (long) prompt.length + maxTokens));
        try {
            return generate(model, prompt, onToken, cache).result;
        } finally {
            cache.release();
        }
    }

    /**
     * {@link #generate(LanguageModel, int[], IntConsumer)} of a prompt that continues an earlier text, such as a chat. What the two
     * have in common is not read again.
     *
     * @param read what the model has read last; gets this text
     */
    public Result generate(ReadText read, int[] prompt, IntConsumer onToken) {
        requireFits(read.model(), prompt);
        Written written = generate(read.model(), prompt, onToken, read.upTo(prompt));
        read.remember(written.text);
        return written.result;
    }

    /**
     * A result and the prompt before it.
     *
     * @param text all tokens; the last one may be unread
     */
    private record Written(Result result, int[] text) {}

    private static void requireFits(LanguageModel model, int[] prompt) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("generate: the prompt has no tokens; start with the model's bos token");
        }
        if (prompt.length > model.contextLength()) {
            throw new IllegalArgumentException("generate: the prompt has " + prompt.length
                    + " tokens and the model's context has " + model.contextLength() + "; shorten it");
        }
    }

    private Written generate(LanguageModel model, int[] prompt, IntConsumer onToken, KeyValueCache cache) {
        requireFits(model, prompt);
        boolean wasTraining = model.isTraining();
        model.eval();
        try {
            return Autograd.noGrad(() -> run(model, prompt, onToken, cache));
        } finally {
            model.train(wasTraining);
        }
    }

    private Written run(LanguageModel model, int[] prompt, IntConsumer onToken, KeyValueCache cache) {
        int[] text = prompt;
        int length = prompt.length;
        List<Integer> generated = new ArrayList<>();
        while (generated.size() < maxTokens) {
            if (cache.length() <= model.keysSameUpTo() && length > model.keysSameUpTo()) {
                cache.truncate(0);
            }
            int from = useCache ? Math.toIntExact(cache.length()) : 0;
            int[] unread = Arrays.copyOfRange(text, from, length);
            int next = sampling.choose(logits(model, unread, cache, text, length), generated.size());
            if (stopIds.contains(next)) {
                return result(text, length, generated, End.STOP);
            }
            generated.add(next);
            onToken.accept(next);
            if (generated.size() < maxTokens && length == model.contextLength()) {
                return result(text, length, generated, End.CONTEXT_FULL);
            }
            if (length < model.contextLength()) {
                text = Arrays.copyOf(text, Math.max(text.length, length + 1 + length / 2));
                text[length++] = next;
            }
        }
        return result(text, length, generated, End.MAX_TOKENS);
    }

    /** The logits for the token after those that the model has not read yet. */
    private float[] logits(LanguageModel model, int[] unread, KeyValueCache cache, int[] text, int length) {
        try (Scope _ = Scope.open("generate")) {
            Tensor ids = Tensor.of(model.device(), unread, 1, unread.length);
            float[] logits = model.nextLogits(useCache ? Input.next(ids, cache) : Input.of(ids))
                    .value()
                    .toFloats();
            if (!areUsable(logits)) {
                Tensor all = Tensor.of(model.device(), Arrays.copyOf(text, length), 1, length);
                throw new NonFiniteException("generate: the logits are not finite: "
                        + NonFinite.cause(model, () -> model.nextLogits(Input.of(all))));
            }
            return logits;
        }
    }

    /** Whether a choice makes sense: a logit of −∞ excludes a token, but NaN and ∞ come from damaged weights. */
    private static boolean areUsable(float[] logits) {
        boolean any = false;
        for (float logit : logits) {
            if (!(logit < Float.POSITIVE_INFINITY)) {
                return false;
            }
            any |= logit > Float.NEGATIVE_INFINITY;
        }
        return any;
    }

    private static Written result(int[] text, int length, List<Integer> generated, End end) {
        int[] ids = generated.stream().mapToInt(Integer::intValue).toArray();
        return new Written(new Result(ids, end), Arrays.copyOf(text, length));
    }
}

package io.gradus.nn.model;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.LinearCrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A causal language model: for each token of a sequence it returns a score for every token that may come next.
 *
 * {@snippet :
 * LanguageModel model = LanguageModel.load(Path.of("my-llama"), Device.cpu());
 * Tensor ids = Tensor.of(new int[] {1, 15, 27}, 1, 3);
 * Variable logits = model.forward(LanguageModel.Input.of(ids)); // [1, 3, vocab_size]
 * }
 *
 * <p>A subclass implements {@link #hiddenStates}, {@link #lmHeadWeight} and {@link #config}. To make it loadable from a
 * folder, add a {@link ModelFamily}.
 */
public abstract class LanguageModel extends PretrainedModel {
    /**
     * Loads a Hugging Face folder, with parameters in F32.
     *
     * @throws IOException if a file is missing or damaged, if no {@link ModelFamily} reads its {@code model_type}, or if the
     *     weights do not fit the network that {@code config.json} describes
     */
    public static LanguageModel load(Path folder, Device device) throws IOException {
        return ModelFolder.open(folder).load(device);
    }

    /**
     * The logits after the last token of each row, which generation needs. Those of a whole prompt, {@link #forward}, would take
     * {@code T} times the memory and time.
     *
     * @param input token ids, positions, padding mask and cache
     * @return {@code [B, vocab_size]}
     */
    public final Variable nextLogits(Input input) {
        Variable hidden = hiddenStates(input);
        long length = hidden.shape().get(1);
        return logits(hidden.slice(1, length - 1, length)
                .reshape(hidden.shape().get(0), hidden.shape().last()));
    }

    /**
     * The last hidden states, after the final norm: the input of the output layer.
     *
     * @return {@code [B, T, hidden_size]}
     */
    @Override
    public abstract Variable hiddenStates(Input input);

    /** The weight of the output layer, {@code [vocab_size, hidden_size]}; the embedding table if the two are tied. */
    public abstract Variable lmHeadWeight();

    /** The bias of the output layer, {@code [vocab_size]}; null if there is none, as in most families. */
    protected @Nullable Variable lmHeadBias() {
        return null;
    }

    @Override
    public final Head head() {
        return new Head.LanguageModeling();
    }

    /** The bound c of the logits x, which are replaced by {@code c·tanh(x/c)}; 0 if there is none, as in most families. */
    protected double logitSoftcap() {
        return 0;
    }

    /**
     * The sum of the cross-entropies of all targets. Equal to {@code forward(input).crossEntropy(…)}, but only a few rows of
     * logits are in memory at a time, never {@code [B, T, vocab_size]}.
     *
     * @param targets I32 {@code [B, T]}; those equal to {@link CrossEntropy#IGNORE_INDEX} are not counted
     * @param chunk the number of rows of logits at a time; 0 {@linkplain LinearCrossEntropy#defaultChunk chooses automatically}
     */
    public final Variable lossSum(Input input, Tensor targets, int chunk) {
        return crossEntropy(hiddenStates(input), targets, CrossEntropyOptions.of(Reduction.SUM), chunk);
    }

    /**
     * The logits of hidden states: the output layer, and the {@link #logitSoftcap} if there is one.
     *
     * @param hidden {@code [.., hidden_size]}, from {@link #hiddenStates}
     * @return {@code [.., vocab_size]}
     */
    @Override
    public final Variable logits(Variable hidden) {
        Variable logits = hidden.linear(lmHeadWeight(), lmHeadBias());
        return logitSoftcap() == 0 ? logits : logits.softcap(logitSoftcap());
    }

    /**
     * The cross-entropy of hidden states. Equal to {@code logits(hidden).crossEntropy(targets, options)}, but only a few rows of
     * logits are in memory at a time.
     *
     * @param hidden {@code [.., hidden_size]}, from {@link #hiddenStates}
     * @param targets I32 {@code [..]}
     * @param chunk the number of rows of logits at a time; 0 {@linkplain LinearCrossEntropy#defaultChunk chooses automatically}
     */
    @Override
    public final Variable crossEntropy(Variable hidden, Tensor targets, CrossEntropyOptions options, int chunk) {
        return hidden.linearCrossEntropy(lmHeadWeight(), lmHeadBias(), targets, options, chunk, logitSoftcap());
    }

    /**
     * The largest number of tokens in a text whose keys are those of a short one. When a text grows beyond, its earlier keys change,
     * and generation reads it again. Most networks have none.
     */
    public long keysSameUpTo() {
        return Long.MAX_VALUE;
    }

    @Override
    public final Device device() {
        return lmHeadWeight().device();
    }

    /**
     * An empty cache for one sequence. A network without a cache may ignore the one it is given; generation then reads the
     * whole sequence again for every token.
     *
     * @param capacity the largest number of tokens
     */
    public final KeyValueCache newCache(int capacity) {
        return new KeyValueCache(config().numHiddenLayers(), capacity);
    }
}

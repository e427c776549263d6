package io.gradus.nn.model;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.LinearCrossEntropy;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Module;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
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
public abstract class LanguageModel extends Module {
    private boolean checkpointing;

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
     * Saves the configuration and the weights, in the dtype of the parameters, as a Hugging Face folder. The tokenizer is saved by its own class. To
     * keep the other settings of the folder that the model came from, use {@link ModelFolder#save}.
     */
    public final void save(Path folder) throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        namedParameters().forEach((name, parameter) -> tensors.add(NamedTensor.of(name, parameter.value())));
        ModelWriter.write(config().toJson(), tensors, folder);
    }

    /**
     * The logits: scores of the next token at every position.
     *
     * @param input token ids, positions, padding mask and cache
     * @return {@code [B, T, vocab_size]}
     */
    public Variable forward(Input input) {
        return logits(hiddenStates(input));
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
    public abstract Variable hiddenStates(Input input);

    /** The weight of the output layer, {@code [vocab_size, hidden_size]}; the embedding table if the two are tied. */
    public abstract Variable lmHeadWeight();

    /** The bound c of the logits x, which are replaced by {@code c·tanh(x/c)}; 0 if there is none, as in most families. */
    protected double logitSoftcap() {
        return 0;
    }

    /** The description of this network. */
    public abstract ModelConfig config();

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
    public final Variable logits(Variable hidden) {
        Variable logits = hidden.linear(lmHeadWeight(), null);
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
    public final Variable crossEntropy(Variable hidden, Tensor targets, CrossEntropyOptions options, int chunk) {
        return hidden.linearCrossEntropy(lmHeadWeight(), null, targets, options, chunk, logitSoftcap());
    }

    /**
     * Whether each layer is recomputed in the backward pass instead of keeping its activations: less memory for about a third
     * more time. Gradients are the same to the bit. Off by default.
     *
     * @see io.gradus.autograd.Checkpoint
     */
    public final void setActivationCheckpointing(boolean checkpointing) {
        this.checkpointing = checkpointing;
    }

    /** Applies one layer of the network, with activation checkpointing if that is on. */
    protected final Variable applyLayer(UnaryOperator<Variable> layer, Variable x) {
        return checkpointing ? x.checkpoint(layer) : layer.apply(x);
    }

    /** The number of tokens in the vocabulary. */
    public final int vocabSize() {
        return config().vocabSize();
    }

    /** The largest number of tokens in one sequence. */
    public final int contextLength() {
        return config().maxPositionEmbeddings();
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

    /** The device of the parameters. */
    public final Device device() {
        return lmHeadWeight().device();
    }

    /**
     * The input of a forward pass: B rows of T tokens.
     *
     * @param ids I32 {@code [B, T]}
     * @param positions I32 {@code [B, T]}: the position of each token in its document, from 0
     * @param attentionMask I32 {@code [B, S]} over all S tokens including the cached ones, 0 for padding; or null
     * @param cache the keys and values of earlier tokens, or null
     * @param documentStarts I32 {@code [B, T]}: the index in the row, cached tokens included, at which the document of each
     *     token begins; the token attends to nothing before it. Null if each row is one document
     */
    public record Input(
            Tensor ids,
            Tensor positions,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            @Nullable Tensor documentStarts) {

        /** An input whose rows hold one document each. */
        public Input(Tensor ids, Tensor positions, @Nullable Tensor attentionMask, @Nullable KeyValueCache cache) {
            this(ids, positions, attentionMask, cache, null);
        }

        /** Whole sequences without padding; positions count from 0. */
        public static Input of(Tensor ids) {
            return new Input(ids, positions(ids, 0), null, null);
        }

        /**
         * Rows that hold several documents each; attention does not cross documents.
         *
         * @param positions I32 {@code [B, T]}: the position of each token in its document, from 0
         * @param documentStarts I32 {@code [B, T]}: the index in the row at which the token's document begins
         */
        public static Input packed(Tensor ids, Tensor positions, Tensor documentStarts) {
            return new Input(ids, positions, null, null, documentStarts);
        }

        /** The tokens that follow those in the cache. */
        public static Input next(Tensor ids, KeyValueCache cache) {
            return new Input(ids, positions(ids, Math.toIntExact(cache.length())), null, cache);
        }

        /** The number of positions that a table for this input needs: one more than the highest. */
        public long positionCount() {
            long tokens = ids.shape().get(1) + (cache == null ? 0 : cache.length());
            if (!ids.backend().hasElements()) {
                return tokens;
            }
            int highest = Arrays.stream(positions.toInts()).max().orElse(-1);
            return Math.max(tokens, highest + 1L); // an input of one's own may begin at any position
        }

        private static Tensor positions(Tensor ids, int first) {
            if (!ids.backend().hasElements()) {
                return Tensor.empty(ids.device(), DType.I32, ids.shape(), MemoryCategory.ACTIVATIONS);
            }
            int length = Math.toIntExact(ids.shape().get(1));
            int[] positions = IntStream.range(0, Math.toIntExact(ids.size()))
                    .map(i -> first + i % length)
                    .toArray();
            return Tensor.of(ids.device(), positions, ids.shape().toArray());
        }
    }
}

package io.gradus.nn.model;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.LinearCrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Module;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A network that reads token ids and gives, for each place, a score for every token that may come next. */
public abstract class LanguageModel extends Module {
    private boolean checkpointing;

    /**
     * The scores of the next token at every place.
     *
     * @param input token ids, positions, padding and cache
     * @return {@code [B, T, vocabulary]}
     */
    public Variable forward(Input input) {
        return hiddenStates(input).linear(lmHeadWeight(), null);
    }

    /**
     * What the output layer reads: the last hidden states, after the last norm.
     *
     * @return {@code [B, T, width]}
     */
    public abstract Variable hiddenStates(Input input);

    /** The weight of the output layer, {@code [vocabulary, width]}: the table of embeddings where the two are tied. */
    public abstract Variable lmHeadWeight();

    /**
     * The sum of the cross-entropies of all targets, from a few rows of scores at a time: what
     * {@code forward(input).crossEntropy(…)} gives, and never {@code [B, T, vocabulary]} in memory.
     *
     * @param targets I32 {@code [B, T]}; those of {@link CrossEntropy#IGNORE_INDEX} do not count
     * @param chunk how many rows of scores there are at once, or 0 for {@link LinearCrossEntropy#defaultChunk an automatic choice}
     */
    public final Variable lossSum(Input input, Tensor targets, int chunk) {
        return hiddenStates(input)
                .linearCrossEntropy(lmHeadWeight(), targets, CrossEntropyOptions.of(Reduction.SUM), chunk);
    }

    /**
     * Whether the inside of each block is computed again in the backward pass and not kept for it: less memory for about a
     * third more time. Gradients stay the same to the bit. Off at first.
     *
     * @see io.gradus.autograd.Checkpoint
     */
    public final void setActivationCheckpointing(boolean checkpointing) {
        this.checkpointing = checkpointing;
    }

    /** Applies a block of the network. */
    protected final Variable applyBlock(UnaryOperator<Variable> block, Variable x) {
        return checkpointing ? x.checkpoint(block) : block.apply(x);
    }

    /** From a parameter's name to its name in a checkpoint of this kind of model. */
    public UnaryOperator<String> namesIn(SafetensorsCheckpoint checkpoint) {
        return UnaryOperator.identity();
    }

    /** How many tokens there are. */
    public abstract int vocabSize();

    /** How many tokens the model can see at once. */
    public abstract int contextLength();

    /** An empty cache for a sequence of at most {@code capacity} tokens. */
    public abstract KeyValueCache newCache(int capacity);

    /** Where the parameters are. */
    public abstract Device device();

    /**
     * What a forward pass reads.
     *
     * @param ids I32 {@code [B, T]}
     * @param positions I32 {@code [B, T]}: each token's place in its text, from 0
     * @param attentionMask I32 {@code [B, S]} over all tokens, the cached ones included, 0 for padding; or null
     * @param cache what came before, or null
     * @param documentStarts I32 {@code [B, T]}: where the document of each token begins among all tokens of its row, the cached
     *     ones included; it sees none before. Null where a row is one document
     */
    public record Input(
            Tensor ids,
            Tensor positions,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            @Nullable Tensor documentStarts) {

        /** One document to a row. */
        public Input(Tensor ids, Tensor positions, @Nullable Tensor attentionMask, @Nullable KeyValueCache cache) {
            this(ids, positions, attentionMask, cache, null);
        }

        /** Whole texts without padding: positions count from 0. */
        public static Input of(Tensor ids) {
            return new Input(ids, positions(ids, 0), null, null);
        }

        /**
         * Rows of several documents, none of which sees another.
         *
         * @param positions I32 {@code [B, T]}: each token's place in its document, from 0
         * @param documentStarts I32 {@code [B, T]}: the place in the row at which the token's document begins
         */
        public static Input packed(Tensor ids, Tensor positions, Tensor documentStarts) {
            return new Input(ids, positions, null, null, documentStarts);
        }

        /** The next tokens after those in the cache. */
        public static Input next(Tensor ids, KeyValueCache cache) {
            return new Input(ids, positions(ids, Math.toIntExact(cache.length())), null, cache);
        }

        private static Tensor positions(Tensor ids, int first) {
            int length = Math.toIntExact(ids.shape().get(1));
            int[] positions = IntStream.range(0, Math.toIntExact(ids.size()))
                    .map(i -> first + i % length)
                    .toArray();
            return Tensor.of(ids.device(), positions, ids.shape().toArray());
        }
    }
}

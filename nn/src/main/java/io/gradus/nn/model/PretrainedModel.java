package io.gradus.nn.model;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Variable;
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
 * A network of some {@link ModelFamily} with its {@link Head}: {@link #hiddenStates} are the input of the output layer, and
 * {@link #logits} its result. For a {@link LanguageModel} these have a row for each token; for a classifier of sequences, a row for
 * each sequence.
 *
 * {@snippet :
 * Labels labels = Labels.of("negative", "positive");
 * ModelFolder folder = ModelFolder.open(Path.of("my-llama")).withNewHead(new Head.SequenceClassification(labels), 42);
 * PretrainedModel model = folder.loadModel(Device.cpu(), DType.F32);
 * Tensor ids = Tensor.of(new int[] {1, 15, 27}, 1, 3);
 * Variable logits = model.forward(PretrainedModel.Input.of(ids)); // [1, 2]
 * }
 */
public abstract class PretrainedModel extends Module {
    private boolean checkpointing;
    private @Nullable Device device;

    /**
     * Saves the configuration and the weights, in the dtype of the parameters, as a Hugging Face folder. The tokenizer is saved by its own class. To
     * keep the other settings of the folder that the model came from, use {@link ModelFolder#save}.
     */
    public final void save(Path folder) throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        namedParameters().forEach((name, parameter) -> tensors.add(NamedTensor.of(name, parameter.value())));
        ModelWriter.write(head().write(config().toJson(), config()), tensors, folder);
    }

    /**
     * The result of the output layer: scores of tokens or labels.
     *
     * @param input token ids, positions, padding mask and cache
     * @return the shape of {@link #hiddenStates}, with the number of scores in place of the last dimension
     */
    public Variable forward(Input input) {
        return logits(hiddenStates(input));
    }

    /**
     * The input of the output layer.
     *
     * @return {@code [B, T, hidden_size]}, or for a classifier of sequences {@code [B, hidden_size]}
     */
    public abstract Variable hiddenStates(Input input);

    /**
     * The output layer.
     *
     * @param hidden {@code [.., hidden_size]}, from {@link #hiddenStates}
     * @return {@code [.., scores]}
     */
    public abstract Variable logits(Variable hidden);

    /**
     * The cross-entropy of {@link #logits}.
     *
     * @param hidden {@code [.., hidden_size]}, from {@link #hiddenStates}
     * @param targets I32 {@code [..]}
     * @param chunk the number of rows of logits at a time, for a network that can do with a few; 0: an automatic choice
     */
    public Variable crossEntropy(Variable hidden, Tensor targets, CrossEntropyOptions options, int chunk) {
        return logits(hidden).crossEntropy(targets, options);
    }

    /**
     * What the network adds to the mean loss in training mode, beside what is minimized, such as the regularization of its
     * activations. By default nothing.
     *
     * @param hidden of the last forward pass, from {@link #hiddenStates}
     * @return a scalar, or null for nothing
     */
    public @Nullable Variable penalty(Variable hidden) {
        return null;
    }

    /** The description of this network. */
    public abstract ModelConfig config();

    /** What this network computes. */
    public abstract Head head();

    /**
     * Whether each layer is recomputed in the backward pass instead of keeping its activations: less memory for about a third
     * more time. Gradients are the same to the bit. Off by default.
     *
     * @see io.gradus.autograd.Checkpoint
     */
    public void setActivationCheckpointing(boolean checkpointing) {
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

    /** The device of the parameters. */
    public Device device() {
        Device known = device;
        if (known == null) {
            known = parameters().getFirst().device();
            device = known;
        }
        return known;
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
     * @param tokenTypeIds I32 {@code [B, T]}: 0 for the first and 1 for the second text of a pair, which some encoders read; null
     *     if all are 0
     * @param textLengths the lengths of texts that share the only row, without padding; a token attends only to those of its own text.
     *     Null if each row is a text. Encoders make such inputs of padded ones
     */
    public record Input(
            Tensor ids,
            Tensor positions,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            @Nullable Tensor documentStarts,
            @Nullable Tensor tokenTypeIds,
            @Nullable List<Integer> textLengths) {

        /** An input without texts that share a row. */
        public Input(
                Tensor ids,
                Tensor positions,
                @Nullable Tensor attentionMask,
                @Nullable KeyValueCache cache,
                @Nullable Tensor documentStarts,
                @Nullable Tensor tokenTypeIds) {
            this(ids, positions, attentionMask, cache, documentStarts, tokenTypeIds, null);
        }

        /** An input without token types. */
        public Input(
                Tensor ids,
                Tensor positions,
                @Nullable Tensor attentionMask,
                @Nullable KeyValueCache cache,
                @Nullable Tensor documentStarts) {
            this(ids, positions, attentionMask, cache, documentStarts, null);
        }

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

        /**
         * Rows of texts with padding on the right; positions count from 0.
         *
         * @param attentionMask I32 {@code [B, T]}, 0 for padding; or null
         * @param tokenTypeIds I32 {@code [B, T]}, or null
         */
        public static Input padded(Tensor ids, @Nullable Tensor attentionMask, @Nullable Tensor tokenTypeIds) {
            return new Input(ids, positions(ids, 0), attentionMask, null, null, tokenTypeIds);
        }

        /** The tokens that follow those in the cache. */
        public static Input next(Tensor ids, KeyValueCache cache) {
            return new Input(ids, positions(ids, Math.toIntExact(cache.length())), null, cache);
        }

        /** The number of positions that a table for this input needs: one more than the highest. */
        public long positionCount() {
            return Math.max(tokens(), longestText()); // an input of one's own may begin at any position
        }

        /** The tokens of the longest document so far: one more than the highest position. */
        public long longestText() {
            return ids.backend().hasElements()
                    ? Arrays.stream(positions.toInts()).max().orElse(-1) + 1L
                    : tokens();
        }

        /** Of the longest text that may be in the input. */
        private long tokens() {
            long ofRow = ids.shape().get(1) + (cache == null ? 0 : cache.length());
            return textLengths == null
                    ? ofRow
                    : textLengths.stream().mapToInt(Integer::intValue).max().orElse(0);
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

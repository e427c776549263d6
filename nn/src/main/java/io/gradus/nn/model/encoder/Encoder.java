package io.gradus.nn.model.encoder;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.PretrainedModel;
import org.jspecify.annotations.Nullable;

/**
 * A network in which every token attends to all tokens of its text, before and after it, with one of the four heads of
 * {@link Head}. A subclass computes the {@linkplain #lastHiddenState hidden states} of the tokens, and has an
 * {@link EncoderHead}.
 *
 * {@snippet :
 * ModelFolder folder = ModelFolder.open(Path.of("my-bert")).withHead(new Head.None());
 * PretrainedModel model = folder.loadModel(Device.cpu(), DType.F32);
 * Tensor ids = Tensor.of(new int[] {2, 15, 27, 3}, 1, 4);
 * Variable hidden = model.hiddenStates(PretrainedModel.Input.of(ids)); // [1, 4, hidden_size]
 * }
 */
public abstract class Encoder extends PretrainedModel {
    private final Head head;

    /** @param head of the network */
    protected Encoder(Head head) {
        this.head = head;
    }

    /**
     * The hidden states after the last layer, {@code last_hidden_state} of transformers.
     *
     * @param input token ids, positions, token types, and a padding mask or, which is usual, texts without padding that share a row
     * @return {@code [B, T, hidden_size]}; of padding, what has no meaning
     */
    protected abstract Variable lastHiddenState(Input input);

    /** What follows the hidden states; null in a bare network. */
    protected abstract @Nullable EncoderHead output();

    @Override
    public final Head head() {
        return head;
    }

    /**
     * The input of the output layer; of a bare network the hidden states of the tokens. Layers compute nothing for padding on the right,
     * of which the result is 0; that of other padding has no meaning.
     *
     * @param input token ids, positions, padding mask, and token types, which not all families read
     * @return {@code [B, hidden_size]} for a classifier of sequences, else {@code [B, T, hidden_size]}
     * @throws IllegalArgumentException if a text is too long, or if the input has what only decoders read
     */
    @Override
    public final Variable hiddenStates(Input input) {
        requireFits(input);
        Texts texts = Texts.of(input);
        Variable states = lastHiddenState(texts.input());
        EncoderHead output = output();
        Variable features = output == null ? states : output.features(states, texts);
        return features.shape().rank() == 3 ? texts.padded(features) : features;
    }

    @Override
    public final Variable logits(Variable hidden) {
        EncoderHead output = output();
        return output == null ? hidden : hidden.linear(output.weight(), output.bias());
    }

    @Override
    public final Variable crossEntropy(Variable hidden, Tensor targets, CrossEntropyOptions options, int chunk) {
        EncoderHead output = output();
        return output == null
                ? hidden.crossEntropy(targets, options)
                : hidden.linearCrossEntropy(output.weight(), output.bias(), targets, options, chunk, 0);
    }

    private void requireFits(Input input) {
        long length = input.ids().shape().get(1);
        if (length > contextLength()) {
            throw new IllegalArgumentException(
                    "encoder: the text has " + length + " tokens and the model has positions for " + contextLength()
                            + " (max_position_embeddings in config.json); shorten it");
        }
        if (input.cache() != null || input.documentStarts() != null || input.textLengths() != null) {
            String has = input.cache() != null
                    ? "a key-value cache"
                    : input.documentStarts() != null ? "document starts" : "text lengths";
            throw new IllegalArgumentException("encoder: the input has " + has
                    + ", but a token of an encoder attends to all of its row; give each text a row, with padding");
        }
    }
}

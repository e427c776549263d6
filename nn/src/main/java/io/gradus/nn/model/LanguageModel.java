package io.gradus.nn.model;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Module;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A network that reads token ids and gives, for each place, a score for every token that may come next. */
public abstract class LanguageModel extends Module {

    /**
     * The scores of the next token at every place.
     *
     * @param input token ids, positions, padding and cache
     * @return {@code [B, T, vocabulary]}
     */
    public abstract Variable forward(Input input);

    /** How many tokens there are. */
    public abstract int vocabularySize();

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
     * @param firstKeys I32 {@code [B, T]}: where the document of each token begins among all tokens of its row, the cached
     *     ones included; it sees none before. Null where a row is one document
     */
    public record Input(
            Tensor ids,
            Tensor positions,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            @Nullable Tensor firstKeys) {

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
         * @param firstKeys I32 {@code [B, T]}: the place in the row at which the token's document begins
         */
        public static Input packed(Tensor ids, Tensor positions, Tensor firstKeys) {
            return new Input(ids, positions, null, null, firstKeys);
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

package io.gradus.nn.model.encoder;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.model.PretrainedModel.Input;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The texts of an {@link Input} without their padding. Rows of different lengths become one row with the tokens of all texts, one
 * after the other, so that the layers compute nothing for padding. What follows the layers reads the hidden states of a text from here.
 *
 * <p>An input without padding stays as it is. So does one whose padding is not on the right, or that has nothing but padding.
 */
public final class Texts {
    private final Input padded;
    private final Input input;
    private final int @Nullable [] places; // of the tokens in the padded rows, one after the other; null: as they are

    private Texts(Input padded, Input input, int @Nullable [] places) {
        this.padded = padded;
        this.input = input;
        this.places = places;
    }

    /**
     * The texts of an input.
     *
     * @param input with a row for each text
     */
    static Texts of(Input input) {
        Tensor mask = input.attentionMask();
        if (mask == null) {
            return new Texts(input, input, null);
        }
        int length = Math.toIntExact(input.ids().shape().get(1));
        int[] real = mask.toInts(); // without elements, as in a plan of memory, all tokens are real
        int[] lengths = new int[Math.toIntExact(input.ids().shape().get(0))];
        int tokens = 0;
        for (int i = 0; i < real.length; i++) {
            if (real[i] != 0) {
                if (i % length != lengths[i / length]++) {
                    return new Texts(input, input, null);
                }
                tokens++;
            }
        }
        if (tokens == 0) {
            return new Texts(input, input, null);
        }
        int[] places = IntStream.range(0, real.length).filter(i -> real[i] != 0).toArray();
        Tensor types = input.tokenTypeIds();
        List<Integer> lengthsOfTexts =
                Arrays.stream(lengths).filter(each -> each > 0).boxed().toList();
        Input row = new Input(
                chosen(input.ids(), places),
                chosen(input.positions(), places),
                null,
                null,
                null,
                types == null ? null : chosen(types, places),
                lengthsOfTexts);
        return new Texts(input, row, places);
    }

    private static Tensor chosen(Tensor ids, int[] places) {
        int[] all = ids.toInts();
        int[] chosen = Arrays.stream(places).map(place -> all[place]).toArray();
        return Tensor.of(ids.device(), chosen, 1, chosen.length);
    }

    /** The input of the layers: the padded one, or one row with {@linkplain Input#textLengths() texts that share it}. */
    public Input input() {
        return input;
    }

    /**
     * The hidden states of the first token of each text; zeros if there is none.
     *
     * @param states {@code [1, tokens, hidden_size]} or {@code [B, T, hidden_size]}, as the {@link #input}
     * @return {@code [B, hidden_size]}
     */
    public Variable firstToken(Variable states) {
        if (places == null) {
            return EncoderHead.firstToken(states);
        }
        int rows = Math.toIntExact(padded.ids().shape().get(0));
        int length = Math.toIntExact(padded.ids().shape().get(1));
        int[] firsts = IntStream.range(0, rows)
                .map(row -> Arrays.binarySearch(places, row * length))
                .toArray();
        return select(states, firsts, Arrays.stream(firsts).anyMatch(first -> first < 0), rows);
    }

    /**
     * The mean of the hidden states of each text.
     *
     * @param states {@code [1, tokens, hidden_size]} or {@code [B, T, hidden_size]}, as the {@link #input}
     * @return {@code [B, hidden_size]}
     */
    public Variable mean(Variable states) {
        return EncoderHead.mean(padded(states), padded.attentionMask());
    }

    /**
     * The hidden states in padded rows, with zeros in place of padding.
     *
     * @param states {@code [1, tokens, hidden_size]} or {@code [B, T, hidden_size]}, as the {@link #input}
     * @return {@code [B, T, hidden_size]}
     */
    Variable padded(Variable states) {
        if (places == null) {
            return states;
        }
        int[] tokens = new int[Math.toIntExact(padded.ids().size())];
        Arrays.fill(tokens, -1);
        for (int i = 0; i < places.length; i++) {
            tokens[places[i]] = i;
        }
        return select(states, tokens, true, padded.ids().shape().toArray());
    }

    /**
     * The hidden states of tokens.
     *
     * @param withZeros whether there may be negative tokens, which stand for zeros
     */
    private static Variable select(Variable states, int[] tokens, boolean withZeros, long... shape) {
        int count = Math.toIntExact(states.shape().get(1));
        Variable rows = states.reshape(count, states.shape().last());
        int[] ids =
                Arrays.stream(tokens).map(token -> token < 0 ? count : token).toArray();
        Tensor chosen = Tensor.of(states.device(), ids, shape);
        if (!withZeros) {
            return rows.embedding(chosen);
        }
        Tensor zeros = Tensor.zeros(
                rows.device(), rows.value().dtype(), Shape.of(1, rows.shape().last()), MemoryCategory.ACTIVATIONS);
        return Variable.concat(0, List.of(rows, Variable.constant(zeros))).embedding(chosen, count);
    }
}

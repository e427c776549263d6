package io.gradus.nn.model.awdlstm;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Dropout;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Lstm;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.PretrainedModel.Input;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The embedding and the layers of an AWD-LSTM (Merity, Keskar &amp; Socher 2017), with the dropouts between them. All layers have
 * {@code n_hid} units except for the last, which has {@code emb_sz}, so that the output layer can share the embedding table.
 */
final class AwdLstmEncoder extends Module {
    /** What fastai and the authors' code draw new embeddings from. */
    static final Initializer UNIFORM = Initializer.uniform(0.1);

    private final Embedding encoder;
    private final Dropout embedDropout;
    private final LockedDropout inputDropout;
    private final List<Lstm> rnns;
    private final List<LockedDropout> hiddenDropouts;

    /** @param weights provides {@code encoder.weight} and the parameters of {@code rnns.0}, {@code rnns.1}, … */
    AwdLstmEncoder(AwdLstmConfig config, WeightSource weights) {
        int layers = config.nLayers();
        this.encoder = register(
                new Embedding(weights.in("encoder"), config.vocabSize(), config.embSz(), UNIFORM, config.padToken()));
        this.embedDropout = register("encoder_dp", new Dropout(config.embedP(), 0, 0));
        this.inputDropout = register("input_dp", new LockedDropout(config.inputP(), 1));
        this.rnns = IntStream.range(0, layers)
                .mapToObj(i -> register(new Lstm(
                        weights.in("rnns").in(i),
                        i == 0 ? config.embSz() : config.nHid(),
                        i == layers - 1 ? config.embSz() : config.nHid(),
                        new Dropout(config.weightP(), 0, 3 + 2 * i))))
                .toList();
        this.hiddenDropouts = IntStream.range(0, layers - 1)
                .mapToObj(i -> register("hidden_dps." + i, new LockedDropout(config.hiddenP(), 4 + 2 * i)))
                .toList();
    }

    /** The number of the dropout layer of the network's output. */
    static final int OUTPUT = 2;

    /** The embedding table, {@code [vocab_size, emb_sz]}. */
    Variable table() {
        return encoder.weight();
    }

    /**
     * The hidden states of the last layer, without dropout.
     *
     * @param ids I32 {@code [B, T]}
     * @param cache the states to continue from, which then holds those after the last token; or null
     * @param apply applies one layer of the network
     * @return {@code [T, B, emb_sz]}
     */
    Variable forward(
            Tensor ids, @Nullable KeyValueCache cache, BiFunction<UnaryOperator<Variable>, Variable, Variable> apply) {
        long steps = ids.shape().get(1);
        Variable x = inputDropout.forward(embed(ids).permute(1, 0, 2));
        for (int i = 0; i < rnns.size(); i++) {
            Lstm rnn = rnns.get(i);
            Lstm.State before = state(cache, i);
            Variable result = apply.apply(input -> rnn.steps(input, before), x);
            keep(cache, i, result.value(), steps);
            x = result.slice(0, 0, steps);
            if (i < hiddenDropouts.size()) {
                x = hiddenDropouts.get(i).forward(x);
            }
        }
        return x;
    }

    /**
     * The number of tokens of each row, without padding.
     *
     * @throws IllegalArgumentException if a row has several documents, or padding that is not on the right
     */
    static int[] lengths(Input input) {
        if (input.documentStarts() != null || input.textLengths() != null) {
            throw new IllegalArgumentException(
                    "awd_lstm: a row has several documents, and the state of one would pass to"
                            + " the next; use data.packing=stream or contiguous");
        }
        int rows = Math.toIntExact(input.ids().shape().get(0));
        int length = Math.toIntExact(input.ids().shape().get(1));
        int[] lengths = new int[rows];
        Arrays.fill(lengths, length);
        Tensor mask = input.attentionMask();
        if (mask == null || !mask.backend().hasElements()) {
            return lengths;
        }
        int[] read = mask.toInts();
        for (int row = 0; row < rows; row++) {
            int tokens = 0;
            while (tokens < length && read[row * length + tokens] != 0) {
                tokens++;
            }
            for (int i = tokens; i < length; i++) {
                if (read[row * length + i] != 0) {
                    throw new IllegalArgumentException(
                            "awd_lstm: row " + row + " has padding before its token " + i + "; pad on the right");
                }
            }
            lengths[row] = Math.max(1, tokens);
        }
        return lengths;
    }

    /** Embeddings of which whole words are dropped: in training, a dropped row of the table is 0 wherever it is read. */
    private Variable embed(Tensor ids) {
        Variable x = encoder.forward(ids);
        if (embedDropout.isIdentity()) {
            return x;
        }
        Variable words =
                LockedDropout.mask(embedDropout, x, Shape.of(table().shape().get(0), 1));
        return x.multiply(words.embedding(ids));
    }

    private static Lstm.@Nullable State state(@Nullable KeyValueCache cache, int layer) {
        KeyValueCache.Recurrence kept = cache == null ? null : cache.recurrence(layer);
        return kept == null ? null : new Lstm.State(Variable.constant(kept.hidden()), Variable.constant(kept.cell()));
    }

    /** Keeps the state after the last step, as plain numbers: gradients end there (truncated backpropagation). */
    private static void keep(@Nullable KeyValueCache cache, int layer, Tensor result, long steps) {
        if (cache != null) {
            Shape state = result.shape().sub(1, 3);
            Tensor hidden = result.slice(steps - 1, steps).reshape(state);
            Tensor cell = result.slice(steps, steps + 1).reshape(state);
            cache.keep(layer, new KeyValueCache.Recurrence(hidden, cell), steps);
        }
    }
}

package io.gradus.nn.model.awdlstm;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.BatchNorm;
import io.gradus.nn.Dropout;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.PretrainedModel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The classifier of ULMFiT (Howard &amp; Ruder 2018, section 3.3), in the form of fastai. The hidden states h of a text are pooled
 * to {@code [h_T, maxpool(h), meanpool(h)]}; two blocks follow, each of batch norm, dropout and a linear layer, with a ReLU
 * between them.
 *
 * <p>A long text is read in chunks of {@code bptt} tokens, each of which begins with the state of the one before (BPT3C). Gradients
 * pass from the pooled states into each chunk, and not from chunk to chunk. The last {@code max_len} tokens of a text are pooled;
 * chunks before them only give their state.
 */
public final class AwdLstmForSequenceClassification extends PretrainedModel {
    private static final double EPS = 1e-5;
    /** Less than any hidden state, which are between −1 and 1. */
    private static final double PADDING = -2;
    /** The numbers of the head's dropout layers; those of the network are smaller. */
    private static final int DROPOUT = 1 << 15;

    private final AwdLstmConfig config;
    private final Labels labels;
    private final AwdLstmEncoder encoder;
    private final BatchNorm norm;
    private final Dropout dropout;
    private final Linear dense;
    private final BatchNorm outNorm;
    private final Dropout outDropout;
    private final Linear outProj;

    /** The pooled states and their mask in the last forward pass in training mode, for the penalty. */
    private transient @Nullable Pooled pooled;

    /**
     * The states that were pooled.
     *
     * @param states {@code [T, B, emb_sz]}
     * @param mask {@code [T, B, 1]}: 1 for the tokens of the texts, else 0
     * @param tokens the number of ones
     */
    private record Pooled(Variable states, Tensor mask, long tokens) {}

    /** @param weights provides the parameters of the encoder, and {@code classifier.*} */
    AwdLstmForSequenceClassification(AwdLstmConfig config, WeightSource weights, Labels labels) {
        WeightSource head = weights.ofHead().in("classifier");
        long width = 3L * config.embSz();
        this.config = config;
        this.labels = labels;
        this.encoder = register(new AwdLstmEncoder(config, weights));
        this.norm = register(new BatchNorm(head.in("norm"), width, EPS));
        this.dropout = register("dropout", new Dropout(config.outputP(), 0, DROPOUT));
        this.dense = register(new Linear(head.in("dense"), width, config.linFtrs(), false));
        this.outNorm = register(new BatchNorm(head.in("out_norm"), config.linFtrs(), EPS));
        this.outDropout = register("out_dropout", new Dropout(config.ps(), 0, DROPOUT + 1));
        this.outProj = register(new Linear(head.in("out_proj"), config.linFtrs(), labels.size(), false));
    }

    /** {@code [B, lin_ftrs]}: the result of the first block. */
    @Override
    public Variable hiddenStates(Input input) {
        Variable text = pool(input);
        return dense.forward(dropout.forward(norm.forward(text))).relu();
    }

    /** {@code [B, 3·emb_sz]}: h of the last token, the maximum and the mean over the tokens. */
    private Variable pool(Input input) {
        int[] lengths = AwdLstmEncoder.lengths(input);
        int rows = lengths.length;
        int length = Math.toIntExact(input.ids().shape().get(1));
        int first = length; // the first step that a text pools
        for (int each : lengths) {
            first = Math.min(first, Math.max(0, each - config.maxLen()));
        }
        int kept = first / config.bptt() * config.bptt();
        KeyValueCache state = new KeyValueCache(config.nLayers(), Integer.MAX_VALUE);
        List<Variable> parts = new ArrayList<>();
        for (int from = 0; from < length; from += config.bptt()) {
            Tensor chunk = columns(input.ids(), from, Math.min(length, from + config.bptt()));
            if (from < kept) {
                Autograd.noGrad(() -> encoder.forward(chunk, state, (layer, x) -> layer.apply(x)));
            } else {
                parts.add(encoder.forward(chunk, state, this::applyLayer));
            }
        }
        state.release();
        Variable states = parts.size() == 1 ? parts.getFirst() : Variable.concat(0, parts);
        int steps = length - kept;
        int[] read = new int[steps * rows];
        float[] weights = new float[read.length];
        float[] last = new float[read.length];
        float[] shares = new float[rows];
        long tokens = 0;
        for (int row = 0; row < rows; row++) {
            int begin = Math.max(0, lengths[row] - config.maxLen());
            for (int step = begin; step < lengths[row]; step++) {
                read[(step - kept) * rows + row] = 1;
                weights[(step - kept) * rows + row] = 1;
            }
            last[(lengths[row] - 1 - kept) * rows + row] = 1;
            shares[row] = 1f / (lengths[row] - begin);
            tokens += lengths[row] - begin;
        }
        Tensor mask = Tensor.of(states.device(), weights, steps, rows, 1);
        pooled = isTraining() ? new Pooled(states, mask, tokens) : null;
        Variable end = states.multiply(constant(states, last, steps, rows, 1)).sum(0);
        Variable mean = states.multiply(Variable.constant(mask)).sum(0).multiply(constant(states, shares, rows, 1));
        Variable padding = Variable.constant(Tensor.full(
                states.device(), states.value().dtype(), Shape.scalar(), PADDING, MemoryCategory.WORKSPACE));
        Variable max = Variable.where(Tensor.of(states.device(), read, steps, rows, 1), states, padding)
                .max(0);
        return Variable.concat(1, List.of(end, max, mean));
    }

    private static Variable constant(Variable like, float[] elements, long... shape) {
        return Variable.constant(Tensor.of(like.device(), elements, shape));
    }

    /** Columns of ids {@code [B, T]}. */
    private static Tensor columns(Tensor ids, int from, int to) {
        int rows = Math.toIntExact(ids.shape().get(0));
        int length = Math.toIntExact(ids.shape().get(1));
        if (from == 0 && to == length) {
            return ids;
        }
        int[] part = new int[rows * (to - from)];
        if (ids.backend().hasElements()) {
            int[] all = ids.toInts();
            for (int row = 0; row < rows; row++) {
                System.arraycopy(all, row * length + from, part, row * (to - from), to - from);
            }
        }
        return Tensor.of(ids.device(), part, rows, to - from);
    }

    @Override
    public Variable logits(Variable hidden) {
        return outProj.forward(outDropout.forward(outNorm.forward(hidden)));
    }

    /** The same regularization as of the language model, of the states of the texts' tokens. */
    @Override
    public @Nullable Variable penalty(Variable hidden) {
        Pooled last = pooled;
        if (!isTraining() || last == null) {
            return null;
        }
        Variable states = last.states.multiply(Variable.constant(last.mask));
        double elements = (double) last.tokens * config.embSz();
        long steps = states.shape().get(0);
        Variable penalty = null;
        if (config.alpha() > 0) {
            penalty = states.multiply(states).sum().multiply(config.alpha() / elements);
        }
        if (config.beta() > 0 && steps > 1) {
            Variable later = last.states.slice(0, 1, steps);
            Variable change = later.subtract(last.states.slice(0, 0, steps - 1))
                    .multiply(Variable.constant(last.mask.slice(1, steps)));
            Variable temporal = change.multiply(change).sum().multiply(config.beta() / elements);
            penalty = penalty == null ? temporal : penalty.add(temporal);
        }
        return penalty;
    }

    @Override
    public AwdLstmConfig config() {
        return config;
    }

    @Override
    public Head head() {
        return new Head.SequenceClassification(labels);
    }
}

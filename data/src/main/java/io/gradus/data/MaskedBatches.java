package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import java.util.Arrays;
import java.util.Set;

/**
 * Batches of texts in which some tokens are hidden, and are the targets (Devlin et al. 2019, section 3.1): of every token that is not
 * special, with a probability of 15%. In its place there is the mask token in 80% of the cases, a random token in 10%, and the token
 * itself in 10%. All other targets are {@link CrossEntropy#IGNORE_INDEX}.
 *
 * <p>What is hidden is a function of the seed and of the number of the batch, so that each epoch hides other tokens (Liu et al. 2019,
 * section 4.1), and a run that resumes the same ones.
 */
public final class MaskedBatches implements BatchSource {
    /** The probability with which a token is hidden. */
    public static final double SHARE = 0.15;

    private static final double MASKED = 0.8;
    private static final double RANDOM = 0.1;

    /** The Philox stream; the shuffles of sources have those from −1 down. */
    private static final int PLACE = Integer.MIN_VALUE;

    private final PaddedBatches rows;
    private final Tokens tokens;
    private final long seed;
    private final boolean repeats;

    /**
     * The tokens of a vocabulary.
     *
     * @param mask the mask token
     * @param special tokens that are never hidden
     * @param size the number of tokens from which random ones are drawn
     */
    public record Tokens(int mask, Set<Integer> special, int size) {
        public Tokens {
            special = Set.copyOf(special);
        }
    }

    /** @param repeats whether every epoch hides the same tokens, as evaluations do, which are to be compared */
    public MaskedBatches(PaddedBatches rows, Tokens tokens, long seed, boolean repeats) {
        this.rows = rows;
        this.tokens = tokens;
        this.seed = seed;
        this.repeats = repeats;
    }

    /** The rows before tokens are hidden. */
    public PaddedBatches rows() {
        return rows;
    }

    @Override
    public int batchSize() {
        return rows.batchSize();
    }

    @Override
    public int length() {
        return rows.length();
    }

    @Override
    public long batchesPerEpoch() {
        return rows.batchesPerEpoch();
    }

    @Override
    public long tokensPerEpoch() {
        return rows.tokensPerEpoch();
    }

    @Override
    public Batch batch(long index, Device device) {
        Batch plain = rows.batch(index, device);
        int[] ids = plain.ids().toInts();
        int[] attended = plain.attentionMask() == null
                ? new int[0]
                : plain.attentionMask().toInts();
        int[] targets = new int[ids.length];
        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
        long number = repeats ? index % batchesPerEpoch() : index;
        Philox.Key key = new Philox.Key(seed, Math.toIntExact(number), PLACE);
        int hidden = 0;
        int first = -1;
        for (int i = 0; i < ids.length; i++) {
            if ((attended.length > 0 && attended[i] == 0) || tokens.special.contains(ids[i])) {
                continue;
            }
            first = first < 0 ? i : first;
            if (Philox.nextDouble(key, 3L * i) < SHARE) {
                targets[i] = ids[i];
                ids[i] = replacement(ids[i], key, i);
                hidden++;
            }
        }
        if (hidden == 0 && first >= 0) { // a batch needs a target
            targets[first] = ids[first];
            ids[first] = replacement(ids[first], key, first);
            hidden = 1;
        }
        return new Batch(
                Tensor.of(device, ids, plain.ids().shape().toArray()),
                Tensor.of(device, targets, plain.ids().shape().toArray()),
                hidden,
                null,
                null,
                plain.attentionMask(),
                plain.tokenTypeIds());
    }

    private int replacement(int id, Philox.Key key, int place) {
        double kind = Philox.nextDouble(key, 3L * place + 1);
        if (kind < MASKED) {
            return tokens.mask;
        }
        return kind < MASKED + RANDOM ? Philox.below(key, 3L * place + 2, tokens.size) : id;
    }
}

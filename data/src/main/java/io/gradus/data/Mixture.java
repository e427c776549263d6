package io.gradus.data;

import io.gradus.core.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One or several sources of blocks, each with a share of the rows. The source of a row is a function of its number, so that a
 * resumed run continues with the same rows.
 *
 * <p>Shares hold not only on average: in any range of rows, a source has its share to within one row, plus one for each source
 * before it. With share w, row r belongs to the first source if {@code ⌊(r + 1 + c)·w⌋ > ⌊(r + c)·w⌋}, where c comes from the
 * seed; the other rows, numbered anew, are divided among the other sources in the same way. A share of 0.05 in batches of 8 is one
 * row in two of five batches, and a share of 0.25 is two rows in each.
 *
 * <p>Shares are of rows. The share of the loss may differ, because all tokens of a text are targets, but only the answers of
 * examples: see {@link #shareOfLoss}.
 *
 * <p>An epoch has as many rows as the sources of the task together; replayed general text is added to them.
 */
public final class Mixture {
    /** The Philox stream; shuffles use streams from −1 down, layers from 0 up. */
    private static final int PLACE = Integer.MIN_VALUE;

    private final List<Source> sources;
    private final double[] shares;
    private final long[] fractions;
    private final long rowsPerEpoch;

    /**
     * A source of rows.
     *
     * @param name for messages
     * @param weight its share of the rows, relative to the other sources; above 0
     */
    public record Source(String name, Blocks blocks, double weight) {
        public Source {
            if (!(weight > 0 && Double.isFinite(weight))) {
                throw new IllegalArgumentException(
                        name + ": the weight of a source is " + weight + "; it must be above 0");
            }
        }
    }

    /**
     * The origin of a row.
     *
     * @param source the index of the source
     * @param number the number of earlier rows of that source
     */
    record Place(int source, long number) {}

    private Mixture(List<Source> sources, long rowsPerEpoch) {
        this.sources = List.copyOf(sources);
        this.rowsPerEpoch = rowsPerEpoch;
        int length = sources.getFirst().blocks.length();
        double total = sources.stream().mapToDouble(Source::weight).sum();
        shares = sources.stream().mapToDouble(source -> source.weight / total).toArray();
        fractions = new long[shares.length];
        double left = 1;
        for (int j = 0; j < shares.length - 1; j++) {
            fractions[j] = fraction(Math.min(1, shares[j] / left));
            left -= shares[j];
        }
        for (Source source : sources) {
            if (source.blocks.length() != length) {
                throw new IllegalArgumentException("sources: the blocks of " + source.name + " have "
                        + source.blocks.length() + " tokens and those of " + sources.getFirst().name + " " + length);
            }
        }
    }

    /** A mixture of one source. */
    public static Mixture of(Blocks blocks) {
        return of(List.of(new Source("training text", blocks, 1)));
    }

    /** A mixture of at least one source. */
    public static Mixture of(List<Source> sources) {
        if (sources.isEmpty()) {
            throw new IllegalArgumentException("sources: the list is empty");
        }
        return new Mixture(
                sources,
                sources.stream().mapToLong(source -> source.blocks.size()).sum());
    }

    /**
     * This mixture with replayed general text, against forgetting.
     *
     * @param share its share of all rows, at least 0 and below 1
     */
    public Mixture with(String name, Blocks general, double share) {
        if (!(share >= 0 && share < 1)) {
            throw new IllegalArgumentException("data.replay_ratio is " + share + "; it must be at least 0 and below 1");
        }
        if (share == 0) {
            return this;
        }
        // The general text is first, because the first source has the most exact share.
        var all = new ArrayList<Source>(List.of(new Source(name, general, share)));
        for (int j = 0; j < shares.length; j++) {
            Source source = sources.get(j);
            all.add(new Source(source.name, source.blocks, shares[j] * (1 - share)));
        }
        return new Mixture(all, Math.round(rowsPerEpoch / (1 - share)));
    }

    /** A share in units of 2⁻⁶⁴, unsigned. */
    private static long fraction(double part) {
        return part >= 1 ? -1 : (long) (part * 0x1p63) << 1;
    }

    public List<Source> sources() {
        return sources;
    }

    /** The share of a source in the rows. */
    public double share(int source) {
        return shares[source];
    }

    /** The share of a source in the targets, on average. */
    public double shareOfLoss(int source) {
        double all = 0;
        for (int j = 0; j < shares.length; j++) {
            all += countedPerRow(j);
        }
        return countedPerRow(source) / all;
    }

    private double countedPerRow(int source) {
        Blocks blocks = sources.get(source).blocks;
        return shares[source] * blocks.counted() / blocks.size();
    }

    /** The number of tokens per row. */
    public int length() {
        return sources.getFirst().blocks.length();
    }

    public long rowsPerEpoch() {
        return rowsPerEpoch;
    }

    /** The number of tokens per epoch; approximate if there are several sources. */
    public long tokens() {
        if (sources.size() == 1) {
            return sources.getFirst().blocks.tokens();
        }
        double tokens = 0;
        for (int j = 0; j < shares.length; j++) {
            Blocks blocks = sources.get(j).blocks;
            tokens += shares[j] * rowsPerEpoch * blocks.tokens() / blocks.size();
        }
        return Math.round(tokens);
    }

    /** The largest token id. */
    public int maxId() {
        return sources.stream().mapToInt(source -> source.blocks.maxId()).max().orElseThrow();
    }

    /** The origins of rows for one seed. */
    Places places(long seed) {
        long[] phases = new long[fractions.length];
        var key = new Philox.Key(seed, 0, PLACE);
        Arrays.setAll(phases, j -> Philox.below(key, j, 1 << 20));
        return new Places(fractions, phases);
    }

    /** Computes the origin of a row. */
    record Places(long[] fractions, long[] phases) {

        Place of(long row) {
            long number = row;
            for (int j = 0; j < fractions.length - 1; j++) {
                long before = before(j, number);
                if (before(j, number + 1) > before) {
                    return new Place(j, before);
                }
                number -= before;
            }
            return new Place(fractions.length - 1, number);
        }

        /** How many of the first rows that belong to no source before j belong to source j. */
        private long before(int j, long rows) {
            return Math.unsignedMultiplyHigh(rows + phases[j], fractions[j])
                    - Math.unsignedMultiplyHigh(phases[j], fractions[j]);
        }
    }
}

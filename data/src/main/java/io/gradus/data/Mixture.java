package io.gradus.data;

import io.gradus.core.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a run is trained on: one source of blocks, or several of which each gives a share of the rows. Which source a row is
 * from is a function of its number, so that a run that was stopped goes on to the same rows.
 *
 * <p>The shares are kept not on average alone but everywhere: of any stretch of rows a source has its share to within a row
 * for each source before it, and one. Of a share w, row r is the source's when {@code ⌊(r + 1 + c)·w⌋ > ⌊(r + c)·w⌋}, where c
 * comes from the seed; the other rows, counted anew, go to the other sources in the same way. So a share of 0.05 in batches of
 * 8 is a row in two of five batches, and a share of 0.25 two rows in each.
 *
 * <p>A share is of rows, all of the same length. Of the loss it may be far more: a row of text counts as a whole, and one of
 * examples with short answers hardly. {@link #shareOfLoss} says how much.
 *
 * <p>An epoch has as many rows as the sources of the task have together; general text mixed in comes on top.
 */
public final class Mixture {
    /** Sets these random numbers apart from those of shuffles, which count from −1 down, and of layers, from 0 up. */
    private static final int PLACE = Integer.MIN_VALUE;

    private final List<Source> sources;
    private final double[] shares;
    private final long[] fractions;
    private final long rowsPerEpoch;

    /**
     * Some of the rows.
     *
     * @param name for messages
     * @param weight its part of the rows, relative to those of the others; above 0
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
     * Where a row comes from.
     *
     * @param source which
     * @param number how many rows of that source come before it
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

    /** One source. */
    public static Mixture of(Blocks blocks) {
        return of(List.of(new Source("training text", blocks, 1)));
    }

    /** Sources of one task, at least one. */
    public static Mixture of(List<Source> sources) {
        if (sources.isEmpty()) {
            throw new IllegalArgumentException("sources: there are none to train on");
        }
        return new Mixture(
                sources,
                sources.stream().mapToLong(source -> source.blocks.size()).sum());
    }

    /**
     * These sources with another mixed in, that a model may not forget what it is from.
     *
     * @param share its part of all rows, from 0 to below 1; 0 changes nothing
     */
    public Mixture with(String name, Blocks general, double share) {
        if (!(share >= 0 && share < 1)) {
            throw new IllegalArgumentException(
                    "data.replay_ratio is " + share + "; it must be a part of the rows, from 0 to below 1");
        }
        if (share == 0) {
            return this;
        }
        // The general text first: so its share is kept the most closely.
        var all = new ArrayList<Source>(List.of(new Source(name, general, share)));
        for (int j = 0; j < shares.length; j++) {
            Source source = sources.get(j);
            all.add(new Source(source.name, source.blocks, shares[j] * (1 - share)));
        }
        return new Mixture(all, Math.round(rowsPerEpoch / (1 - share)));
    }

    /** A part of 1 in units of 2⁻⁶⁴, without a sign. */
    private static long fraction(double part) {
        return part >= 1 ? -1 : (long) (part * 0x1p63) << 1;
    }

    public List<Source> sources() {
        return sources;
    }

    /** What part of the rows is a source's. */
    public double share(int source) {
        return shares[source];
    }

    /** What part of the tokens that count is a source's, on average. */
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

    /** Tokens of a row. */
    public int length() {
        return sources.getFirst().blocks.length();
    }

    public long rowsPerEpoch() {
        return rowsPerEpoch;
    }

    /** How many tokens an epoch reads, about, where there are several sources. */
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

    /** Where rows come from, for one seed. */
    Places places(long seed) {
        long[] phases = new long[fractions.length];
        var key = new Philox.Key(seed, 0, PLACE);
        Arrays.setAll(phases, j -> Philox.below(key, j, 1 << 20));
        return new Places(fractions, phases);
    }

    /** Tells where a row comes from. */
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

        /** How many of the first rows that no source before j has are source j's. */
        private long before(int j, long rows) {
            return Math.unsignedMultiplyHigh(rows + phases[j], fractions[j])
                    - Math.unsignedMultiplyHigh(phases[j], fractions[j]);
        }
    }
}

package io.gradus.core;

/**
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a random number is a function of a key
 * and a counter. There is no state, so results depend neither on earlier draws nor on the thread.
 */
public final class Philox {
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9; // the golden ratio
    private static final int W1 = 0xBB67AE85; // √3 − 1
    private static final int ROUNDS = 10;

    private Philox() {}

    /**
     * Identifies one stream of random numbers.
     *
     * @param seed the seed of the run
     * @param step the training step, or 0
     * @param place the index of the draw within the step; each dropout layer and each initialized weight has its own
     */
    public record Key(long seed, int step, int place) {}

    /**
     * Computes four words of 32 random bits.
     *
     * @param block the counter within the stream
     * @param words receives four words
     */
    public static void block(Key key, long block, int[] words) {
        philox(key.seed, (int) block, (int) (block >>> 32), key.place, key.step, words);
    }

    /** The bijection itself: the key is {@code seed}, the counter is {@code (c0, c1, c2, c3)}. */
    static void philox(long seed, int c0, int c1, int c2, int c3, int[] words) {
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = M0 * (c0 & 0xFFFFFFFFL);
            long p1 = M1 * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += W0;
            k1 += W1;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }

    /** Converts a word to a number in {@code [0, 1)}: its upper 24 bits, which a float represents exactly. */
    public static float uniform(int word) {
        return (word >>> 8) * 0x1p-24f;
    }

    /**
     * Converts two words to two independent normal numbers (Box &amp; Muller 1958), computed in double:
     * {@code √(−2 ln u₁)·(cos 2πu₂, sin 2πu₂)} with u₁ in (0, 1].
     *
     * @param pair receives two numbers
     */
    public static void normalPair(int word0, int word1, double[] pair) {
        double radius = Math.sqrt(-2 * Math.log(((word0 >>> 8) + 1) * 0x1p-24));
        double angle = 2 * Math.PI * uniform(word1);
        pair[0] = radius * Math.cos(angle);
        pair[1] = radius * Math.sin(angle);
    }

    /** A uniform integer from 0 to {@code bound − 1}, for shuffling and sampling. */
    public static int below(Key key, long index, int bound) {
        int[] words = new int[4];
        block(key, index, words);
        long wide = ((words[0] & 0xFFFFFFFFL) << 32) | (words[1] & 0xFFFFFFFFL);
        return (int) Math.unsignedMultiplyHigh(wide, bound);
    }

    /** A uniform number in {@code [0, 1)} with 53 bits. */
    public static double nextDouble(Key key, long index) {
        int[] words = new int[4];
        block(key, index, words);
        long wide = ((words[0] & 0xFFFFFFFFL) << 32) | (words[1] & 0xFFFFFFFFL);
        return (wide >>> 11) * 0x1p-53;
    }
}

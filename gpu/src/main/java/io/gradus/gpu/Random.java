package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.RandomKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link RandomKernels}: a work-item generates the four words of one {@link Philox} block, and four elements from them.
 */
final class Random implements RandomKernels {
    private static final Kernel UNIFORM = Kernel.of("uniform", Random::uniformKernel);
    private static final Kernel NORMAL = Kernel.of("normal", Random::normalKernel);
    private static final Kernel DROPOUT = Kernel.of("dropout", Random::dropoutKernel);
    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int OUT = 0;
    private static final int X = 1;
    private static final int N = Kernel.INTS;
    private static final int SEED_LOW = Kernel.INTS + 1;
    private static final int SEED_HIGH = Kernel.INTS + 2;
    private static final int PLACE = Kernel.INTS + 3;
    private static final int STEP = Kernel.INTS + 4;
    private static final int THRESHOLD = Kernel.INTS + 5;
    private static final int ACCUMULATE = Kernel.INTS + 6;

    // The floats of the launch.
    private static final int LOW = 0;
    private static final int MEAN = 0;
    private static final int FACTOR = 0;
    private static final int RANGE = 1;
    private static final int DEVIATION = 1;
    private static final int BELOW = 2;

    private static final float HALF_PI = (float) (Math.PI / 2);

    private final Launcher launcher;

    Random(Launcher launcher) {
        this.launcher = launcher;
    }

    private static int[] stream(long count, Philox.Key key, int... more) {
        int[] numbers = new int[5 + more.length];
        numbers[0] = Math.toIntExact(count);
        numbers[1] = (int) key.seed();
        numbers[2] = (int) (key.seed() >>> 32);
        numbers[3] = key.place();
        numbers[4] = key.step();
        System.arraycopy(more, 0, numbers, 5, more.length);
        return numbers;
    }

    @Override
    public void uniform(Tensor out, double low, double high, Philox.Key key) {
        // Rounding to float must not reach the upper bound.
        double below = high > low ? Math.nextDown((float) high) : Float.POSITIVE_INFINITY;
        launcher.run(
                UNIFORM, Math.ceilDiv(out.size(), 4L), stream(out.size(), key), floats(low, high - low, below), out);
    }

    private static void uniformKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out) {
        int[] words = new int[4];
        philox(words, d.get(SEED_LOW), d.get(SEED_HIGH), d.get(PLACE), d.get(STEP), c.globalIdx);
        int left = d.get(N) - 4 * c.globalIdx;
        for (int j = 0; j < 4; j++) {
            if (j < left) {
                float value = s.get(LOW) + s.get(RANGE) * uniform(words[j]);
                out.set(d.get(OUT) + 4 * c.globalIdx + j, value < s.get(BELOW) ? value : s.get(BELOW));
            }
        }
    }

    @Override
    public void normal(Tensor out, double mean, double standardDeviation, Philox.Key key) {
        launcher.run(
                NORMAL, Math.ceilDiv(out.size(), 4L), stream(out.size(), key), floats(mean, standardDeviation), out);
    }

    /** Box-Muller. The angle 2πu is computed as an exact number of quarter turns plus at most an eighth of a turn. */
    private static void normalKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out) {
        int[] words = new int[4];
        philox(words, d.get(SEED_LOW), d.get(SEED_HIGH), d.get(PLACE), d.get(STEP), c.globalIdx);
        int first = 4 * c.globalIdx;
        for (int pair = 0; pair < 4; pair += 2) {
            float radius = TornadoMath.sqrt(-2f * TornadoMath.log((upper(words[pair]) + 1) * 0x1p-24f));
            float turns = 4f * uniform(words[pair + 1]);
            int quarter = (int) (turns + 0.5f);
            float angle = (turns - quarter) * HALF_PI;
            float cosine = TornadoMath.cos(angle);
            float sine = TornadoMath.sin(angle);
            int side = quarter & 3;
            float x = side == 0 ? cosine : side == 1 ? -sine : side == 2 ? -cosine : sine;
            float y = side == 0 ? sine : side == 1 ? cosine : side == 2 ? -sine : -cosine;
            if (first + pair < d.get(N)) {
                out.set(d.get(OUT) + first + pair, s.get(MEAN) + s.get(DEVIATION) * (radius * x));
            }
            if (first + pair + 1 < d.get(N)) {
                out.set(d.get(OUT) + first + pair + 1, s.get(MEAN) + s.get(DEVIATION) * (radius * y));
            }
        }
    }

    @Override
    public void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate) {
        int threshold = (int) Math.ceil(p * (1 << 24)); // u ≥ p as a comparison of integers
        launcher.run(
                DROPOUT,
                Math.ceilDiv(x.size(), 4L),
                stream(x.size(), key, threshold, accumulate ? 1 : 0),
                floats(1 / (1 - p)),
                out,
                x);
    }

    private static void dropoutKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray x) {
        int[] words = new int[4];
        philox(words, d.get(SEED_LOW), d.get(SEED_HIGH), d.get(PLACE), d.get(STEP), c.globalIdx);
        int first = 4 * c.globalIdx;
        for (int j = 0; j < 4; j++) {
            if (first + j < d.get(N)) {
                float value = 0f;
                if (upper(words[j]) >= d.get(THRESHOLD)) {
                    value = x.get(d.get(X) + first + j) * s.get(FACTOR);
                }
                if (d.get(ACCUMULATE) != 0) {
                    value = value + out.get(d.get(OUT) + first + j);
                }
                out.set(d.get(OUT) + first + j, value);
            }
        }
    }

    /** {@link Philox#block} for a block number that fits an int. */
    private static void philox(int[] words, int seedLow, int seedHigh, int place, int step, int block) {
        int k0 = seedLow;
        int k1 = seedHigh;
        int c0 = block;
        int c1 = 0;
        int c2 = place;
        int c3 = step;
        for (int round = 0; round < 10; round++) {
            long p0 = 0xD2511F53L * (c0 & 0xFFFFFFFFL);
            long p1 = 0xCD9E8D57L * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }

    /** {@link Philox#uniform}. */
    private static float uniform(int word) {
        return upper(word) * 0x1p-24f;
    }

    /** {@code word >>> 8}, which TornadoVM compiles to an arithmetic shift on OpenCL. */
    private static int upper(int word) {
        return (word >> 8) + (word < 0 ? 1 << 24 : 0);
    }
}

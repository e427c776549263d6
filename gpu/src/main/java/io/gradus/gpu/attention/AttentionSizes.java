package io.gradus.gpu.attention;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What the attention kernels have in common: the integers of a launch, and which query sees which key. The first five
 * operands of each kernel are q, k, v, the mask and the first keys.
 *
 * <p>A "line" is a row of D elements of q, k, v, the output or a gradient: one query or key of one head. A work-group of
 * 16 × 16 items works on tiles of 32 queries by 32 keys, or of 32 lines by 32 of their elements; item (x, y) has the elements of
 * columns x and x + 16 and rows y and y + 16 of each.
 */
record AttentionSizes(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor mask, Tensor first) {
    static final int SIDE = 16;
    static final int TILE = 2 * SIDE;
    static final int GROUP = SIDE * SIDE;
    /** Elements of a tile's row in local memory: one more than needed, so that a column is spread over the banks. */
    static final int STRIDE = TILE + 1;

    static final int Q = 0;
    static final int K = 1;
    static final int V = 2;
    static final int MASK = 3;
    static final int FIRST = 4;
    // after the offsets of at most nine operands
    static final int T = 9;
    static final int S = 10;
    static final int H = 11;
    static final int G = 12;
    static final int D = 13;
    static final int CAUSAL = 14;
    static final int HAS_MASK = 15;
    static final int HAS_FIRST = 16;
    /** Lines of queries in all. */
    static final int LINES = 17;

    static final int OPTION_A = 18;
    static final int OPTION_B = 19;

    /** {@code none}, an I32 tensor of any content, stands where there is no mask or there are no first keys. */
    static AttentionSizes of(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor none) {
        Tensor mask = settings.attentionMask();
        Tensor first = settings.documentStarts();
        return new AttentionSizes(q, k, v, settings, mask == null ? none : mask, first == null ? none : first);
    }

    /** What {@link #of} needs; to be released. */
    static Workspace none(Tensor q) {
        return Workspace.of(q, DType.I32, Shape.of(1));
    }

    long batch() {
        return q.shape().get(0);
    }

    long queries() {
        return q.shape().get(1);
    }

    long keys() {
        return k.shape().get(1);
    }

    long heads() {
        return q.shape().get(2);
    }

    long keyHeads() {
        return k.shape().get(2);
    }

    /**
     * The integers of a launch of so many operands.
     *
     * @param a {@link #OPTION_A}, whether to accumulate the first output; likewise b the second
     */
    int[] ints(int operands, boolean a, boolean b) {
        int[] ints = new int[OPTION_B + 1 - operands];
        int[] values = Launcher.ints(
                queries(),
                keys(),
                heads(),
                keyHeads(),
                q.shape().get(3),
                settings.causal() ? 1 : 0,
                settings.attentionMask() != null ? 1 : 0,
                settings.documentStarts() != null ? 1 : 0,
                batch() * queries() * heads(),
                a ? 1 : 0,
                b ? 1 : 0);
        System.arraycopy(values, 0, ints, T - operands, values.length);
        return ints;
    }

    // ---- for kernels ----

    /** The element {@code along} of a line of a tile; 0 beyond its {@code lines} and their {@code dims}. */
    static float element(FloatArray x, int tile, int stride, int lines, int line, int along, int dims) {
        float element = 0;
        if (line < lines && along < dims) {
            element = x.get(tile + line * stride + along);
        }
        return element;
    }

    /** Whether a query of row b of the batch sees a key; false where there is no such query or key. */
    static boolean sees(IntArray d, IntArray mask, IntArray first, int b, int query, int key) {
        int queries = d.get(T);
        int keys = d.get(S);
        boolean sees = query < queries && key < keys;
        if (d.get(CAUSAL) != 0 && key > query + keys - queries) {
            sees = false;
        }
        if (sees && d.get(HAS_MASK) != 0) {
            sees = mask.get(d.get(MASK) + b * keys + key) != 0;
        }
        if (sees && d.get(HAS_FIRST) != 0) {
            sees = key >= first.get(d.get(FIRST) + b * queries + query);
        }
        return sees;
    }

    /** The first key that any of the tile of queries from {@code query0} may see, but for the mask. */
    static int documentStarts(IntArray d, IntArray first, int b, int query0) {
        int key = 0;
        if (d.get(HAS_FIRST) != 0) {
            key = d.get(S);
            for (int query = query0; query < query0 + TILE && query < d.get(T); query++) {
                int own = first.get(d.get(FIRST) + b * d.get(T) + query);
                if (own < key) {
                    key = own;
                }
            }
            if (key < 0) {
                key = 0;
            }
        }
        return key;
    }

    /** The end of the keys that any of the tile of queries from {@code query0} may see, but for the mask. */
    static int endOfKeys(IntArray d, int query0) {
        int keys = d.get(S);
        int end = keys;
        if (d.get(CAUSAL) != 0 && query0 + TILE < d.get(T)) {
            end = query0 + TILE + keys - d.get(T);
        }
        return end;
    }

    /** The first query that may see any of the tile of keys from {@code key0}. */
    static int firstQuery(IntArray d, int key0) {
        int query = 0;
        if (d.get(CAUSAL) != 0) {
            query = key0 + d.get(T) - d.get(S);
            if (query < 0) {
                query = 0;
            }
        }
        return query;
    }

    /** Adds to an element of a line, or begins it. */
    static void add(
            FloatArray out, int tile, int stride, int lines, int line, int along, int dims, float part, boolean begin) {
        if (line < lines && along < dims) {
            int at = tile + line * stride + along;
            float y = part;
            if (!begin) {
                y += out.get(at);
            }
            out.set(at, y);
        }
    }
}

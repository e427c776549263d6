package io.gradus.gpu.attention;

import static io.gradus.gpu.attention.Tile.TILE;
import static io.gradus.gpu.runtime.Launcher.flag;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.math.FloatMath;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;
import java.util.Arrays;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The operands and sizes that the attention kernels share, and which query attends to which key. The first two operands of
 * each kernel are the attention mask and the document starts; of texts that share a row these are the starts of the texts, then their ends. Sizes have the letters of the tensors' shapes: q is
 * {@code [B, T, H, D]}, k and v are {@code [B, S, G, D]}.
 */
record AttentionSizes(Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor mask, Tensor starts) {
    static final int MASK = 0;
    static final int STARTS = 1;
    static final int T = Kernel.INTS;
    static final int S = Kernel.INTS + 1;
    static final int H = Kernel.INTS + 2;
    static final int G = Kernel.INTS + 3;
    static final int D = Kernel.INTS + 4;
    static final int CAUSAL = Kernel.INTS + 5;
    static final int HAS_MASK = Kernel.INTS + 6;
    /** 0 for none, 1 for the starts of documents, 2 for the starts and the ends of texts. */
    static final int HAS_STARTS = Kernel.INTS + 7;
    /** 0 if there is no window. */
    static final int WINDOW = Kernel.INTS + 8;
    /** Where the integers begin that only one kernel has. */
    static final int MORE = Kernel.INTS + 9;

    // The floats of a launch.
    static final int SCALE = 0;
    /** 0 if there is no softcap. */
    static final int SOFTCAP = 1;

    /** {@code none} stands in for an absent mask or absent document starts. */
    static AttentionSizes of(Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor none) {
        Tensor mask = options.attentionMask();
        Tensor starts = options.documentStarts();
        return new AttentionSizes(q, k, v, options, mask == null ? none : mask, starts == null ? none : starts);
    }

    /** The last argument of {@link #of}; the caller closes it. It holds the starts and the ends of texts, if these share a row. */
    static Workspace none(Tensor q, AttentionOptions options) {
        if (options.textLengths() == null) {
            return Workspace.of(q, DType.I32, Shape.of(1));
        }
        int tokens = Math.toIntExact(q.shape().get(1));
        int[] bounds = new int[2 * tokens];
        int from = 0;
        for (int length : options.textLengths()) {
            Arrays.fill(bounds, from, from + length, from);
            Arrays.fill(bounds, tokens + from, tokens + from + length, from + length);
            from += length;
        }
        return new Workspace(Tensor.of(q.device(), bounds, 2, tokens));
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

    /** The integers of a launch; {@code more} begin at {@link #MORE}. */
    int[] ints(int... more) {
        int[] sizes = Launcher.ints(
                queries(),
                keys(),
                heads(),
                keyHeads(),
                q.shape().get(3),
                flag(options.causal()),
                flag(options.attentionMask() != null),
                options.textLengths() != null ? 2 : flag(options.documentStarts() != null),
                options.window());
        return IntStream.concat(IntStream.of(sizes), IntStream.of(more)).toArray();
    }

    /** The floats of a launch. */
    float[] floats() {
        return Launcher.floats(options.scale(), options.softcap());
    }

    // ---- for kernels ----

    /** Whether a query of batch element b attends to a key; false if there is no such query or key. */
    static boolean attends(IntArray d, IntArray mask, IntArray starts, int b, int query, int key) {
        int queries = d.get(T);
        int keys = d.get(S);
        boolean attends = query < queries && key < keys;
        if (d.get(CAUSAL) != 0 && key > query + keys - queries) {
            attends = false;
        }
        int window = d.get(WINDOW);
        int place = query + keys - queries;
        if (window != 0 && (key <= place - window || key >= place + window)) {
            attends = false;
        }
        if (attends && d.get(HAS_MASK) != 0) {
            attends = mask.get(d.get(MASK) + b * keys + key) != 0;
        }
        if (attends && d.get(HAS_STARTS) != 0) {
            attends = key >= starts.get(d.get(STARTS) + b * queries + query);
        }
        if (attends && d.get(HAS_STARTS) == 2) {
            attends = key < starts.get(d.get(STARTS) + queries + query);
        }
        return attends;
    }

    /** The first key that any query of the tile at {@code query0} may attend to, the mask aside. */
    static int firstKey(IntArray d, IntArray starts, int b, int query0) {
        int key = 0;
        if (d.get(HAS_STARTS) != 0) {
            key = d.get(S);
            for (int query = query0; query < query0 + TILE && query < d.get(T); query++) {
                int start = starts.get(d.get(STARTS) + b * d.get(T) + query);
                if (start < key) {
                    key = start;
                }
            }
            if (key < 0) {
                key = 0;
            }
        }
        if (d.get(WINDOW) != 0) {
            int reached = query0 + d.get(S) - d.get(T) - d.get(WINDOW) + 1;
            if (reached > key) {
                key = reached;
            }
        }
        return key;
    }

    /** The end of the keys that any query of the tile at {@code query0} may attend to, the mask aside. */
    static int endOfKeys(IntArray d, IntArray starts, int query0) {
        int keys = d.get(S);
        int end = endOfText(d, starts, query0, keys);
        if (d.get(CAUSAL) != 0) {
            int reached = query0 + TILE + keys - d.get(T);
            if (reached < end) {
                end = reached;
            }
        } else if (d.get(WINDOW) != 0) {
            int reached = query0 + TILE - 1 + keys - d.get(T) + d.get(WINDOW);
            if (reached < end) {
                end = reached;
            }
        }
        return end;
    }

    /** The end of the text of the last token of the tile at {@code token0}; {@code end} if texts do not share rows. */
    private static int endOfText(IntArray d, IntArray starts, int token0, int end) {
        int reached = end;
        if (d.get(HAS_STARTS) == 2) {
            int last = token0 + TILE < end ? token0 + TILE - 1 : end - 1;
            reached = starts.get(d.get(STARTS) + end + last);
        }
        return reached;
    }

    /** The first query that may attend to any key of the tile at {@code key0}. */
    static int firstQuery(IntArray d, IntArray starts, int key0) {
        int query = 0;
        if (d.get(CAUSAL) != 0) {
            query = key0 + d.get(T) - d.get(S);
        } else if (d.get(WINDOW) != 0) {
            query = key0 + d.get(T) - d.get(S) - d.get(WINDOW) + 1;
        }
        if (query < 0) {
            query = 0;
        }
        if (d.get(HAS_STARTS) == 2) {
            int start = starts.get(d.get(STARTS) + key0);
            query = start > query ? start : query;
        }
        return query;
    }

    /** The end of the queries that may attend to any key of the tile at {@code key0}. */
    static int endOfQueries(IntArray d, IntArray starts, int key0) {
        int end = endOfText(d, starts, key0, d.get(T));
        if (d.get(WINDOW) != 0) {
            int reached = key0 + TILE - 1 + d.get(T) - d.get(S) + d.get(WINDOW);
            if (reached < end) {
                end = reached;
            }
        }
        return end;
    }

    /** The score of a product of a query and a key: {@code scale·product}, with a softcap c {@code c·tanh(scale·product/c)}. */
    static float score(FloatArray s, float product) {
        float score = s.get(SCALE) * product;
        float softcap = s.get(SOFTCAP);
        if (softcap != 0) {
            score = softcap * FloatMath.tanh(score / softcap);
        }
        return score;
    }

    /** The derivative of a score by {@code scale·product}: {@code 1 − tanh²} with a softcap. */
    static float slope(FloatArray s, float score) {
        float slope = 1;
        float softcap = s.get(SOFTCAP);
        if (softcap != 0) {
            slope = 1 - score / softcap * (score / softcap);
        }
        return slope;
    }
}

package io.gradus.bench.cases;

import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.measure.Work;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import java.util.Arrays;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Causal attention with 8 heads of 64 elements: over a whole text, and within a sliding window of 256 tokens in texts of growing
 * length, whose time should grow with the length and not with its square. libtorch:
 * {@code at::scaled_dot_product_attention}, which has no windows; as in Hugging Face transformers, a window is a mask for it.
 */
public final class AttentionCases implements Group {
    private static final long HEADS = 8;
    private static final long WIDTH = 64;
    private static final int WINDOW = 256;

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        run(device, 512, 0, measure);
        run(device, 1024, 0, measure);
        run(device, 1024, WINDOW, measure);
        run(device, 2048, WINDOW, measure);
        run(device, 4096, WINDOW, measure);
    }

    /**
     * @param length of the text, in tokens
     * @param window in tokens, or 0 for none
     */
    private static void run(Device device, int length, int window, Consumer<Case> measure) {
        try (Scope _ = Scope.open("attention");
                PointerScope _ = new PointerScope()) {
            TwinVariable queries = new TwinVariable("queries", Twin.random(device, 1, 1, 1, length, HEADS, WIDTH));
            TwinVariable keys = new TwinVariable("keys", Twin.random(device, 2, 1, 1, length, HEADS, WIDTH));
            TwinVariable values = new TwinVariable("values", Twin.random(device, 3, 1, 1, length, HEADS, WIDTH));
            AttentionOptions options = AttentionOptions.causal(WIDTH).withWindow(window);
            TensorOptional mask = window == 0 ? new TensorOptional() : new TensorOptional(mask(options, length));
            double scores = scores(options, length);
            GradientCases.measure(
                    measure,
                    "attention " + length + (window == 0 ? "" : " window " + window),
                    () -> queries.ours().attention(keys.ours(), values.ours(), options),
                    () -> torch.scaled_dot_product_attention(
                                    perHead(queries),
                                    perHead(keys),
                                    perHead(values),
                                    mask,
                                    0.0,
                                    window == 0,
                                    new DoubleOptional(),
                                    false)
                            .transpose(1, 2),
                    Twin.random(device, 4, 1, 1, length, HEADS, WIDTH),
                    Work.flops(4 * WIDTH * scores), // two products
                    Work.flops(14 * WIDTH * scores), // and five in the backward pass
                    queries,
                    keys,
                    values);
        }
    }

    /** {@code [1, T, H, D]} as {@code [1, H, T, D]}. */
    private static Tensor perHead(TwinVariable variable) {
        return variable.theirs().transpose(1, 2);
    }

    /** The number of pairs of a query and a key in all heads. */
    private static double scores(AttentionOptions options, int length) {
        long pairs = 0;
        for (int query = 0; query < length; query++) {
            pairs += options.endOfKeys(query, length, length) - options.firstKey(query, length, length);
        }
        return (double) HEADS * pairs;
    }

    /** {@code [T, T]}: 0 where a query attends to a key, and −∞ elsewhere. */
    private static Tensor mask(AttentionOptions options, int length) {
        float[] mask = new float[length * length];
        Arrays.fill(mask, Float.NEGATIVE_INFINITY);
        for (int query = 0; query < length; query++) {
            int from = query * length + options.firstKey(query, length, length);
            Arrays.fill(mask, from, query * length + options.endOfKeys(query, length, length), 0);
        }
        return LibTorch.tensor(mask, length, length);
    }
}

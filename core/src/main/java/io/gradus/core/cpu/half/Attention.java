package io.gradus.core.cpu.half;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.AttentionKernels;

/** Attention, with one key-value head and its query heads at a time in F32. For kernels that do not read 16-bit floats themselves. */
record Attention(AttentionKernels kernels, AttentionKernels ofHead, Workers workers) implements AttentionKernels {

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor out, Tensor logSumExp) {
        if (!Blocks.anyHalf(q, k, v, out)) {
            kernels.forward(q, k, v, options, out, logSumExp);
            return;
        }
        forEachHead(q, k, (b, g) -> {
            Head queries = new Head(q.shape(), k.shape().get(2), b, g);
            Head keys = new Head(k.shape(), k.shape().get(2), b, g);
            Tensor result = queries.empty(out, 3);
            ofHead.forward(
                    queries.load(q, 0),
                    keys.load(k, 1),
                    keys.load(v, 2),
                    ofItem(options, b),
                    result,
                    queries.statistics(logSumExp));
            queries.store(result, out);
        });
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions options,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        if (!Blocks.anyHalf(q, k, v, out, dout, dq.gradient(), dk.gradient(), dv.gradient())) {
            kernels.backward(q, k, v, options, out, logSumExp, dout, dq, dk, dv);
            return;
        }
        forEachHead(q, k, (b, g) -> {
            Head queries = new Head(q.shape(), k.shape().get(2), b, g);
            Head keys = new Head(k.shape(), k.shape().get(2), b, g);
            GradientBuffer toQueries = queries.load(dq, 5);
            GradientBuffer toKeys = keys.load(dk, 6);
            GradientBuffer toValues = keys.load(dv, 7);
            ofHead.backward(
                    queries.load(q, 0),
                    keys.load(k, 1),
                    keys.load(v, 2),
                    ofItem(options, b),
                    queries.load(out, 3),
                    queries.statistics(logSumExp),
                    queries.load(dout, 4),
                    toQueries,
                    toKeys,
                    toValues);
            queries.store(toQueries.gradient(), dq.gradient());
            keys.store(toKeys.gradient(), dk.gradient());
            keys.store(toValues.gradient(), dv.gradient());
        });
    }

    /** Computes one key-value head of one batch item. */
    @FunctionalInterface
    private interface Body {
        void run(long b, long g);
    }

    private void forEachHead(Tensor q, Tensor k, Body body) {
        long heads = k.shape().get(2);
        workers.forEach(q.shape().get(0) * heads, 1, (from, to) -> {
            for (long item = from; item < to; item++) {
                body.run(item / heads, item % heads);
            }
        });
    }

    /** The options of one batch item. */
    private static AttentionOptions ofItem(AttentionOptions options, long b) {
        Tensor mask = options.attentionMask();
        Tensor starts = options.documentStarts();
        return options.withAttentionMask(mask == null ? null : mask.slice(b, b + 1))
                .withDocumentStarts(starts == null ? null : starts.slice(b, b + 1));
    }

    /**
     * The part of {@code [B, T, H, D]} that belongs to a key-value head: {@code H/G} neighboring heads of a batch item.
     *
     * @param whole the shape of all
     * @param groups G
     */
    private record Head(Shape whole, long groups, long b, long g) {

        private long heads() {
            return whole.get(2) / groups;
        }

        private long width() {
            return heads() * whole.get(3);
        }

        /** The place of a token among all elements. */
        private long place(long token) {
            return ((b * whole.get(1) + token) * whole.get(2) + g * heads()) * whole.get(3);
        }

        Tensor empty(Tensor like, int slot) {
            Shape shape = Shape.of(1, whole.get(1), heads(), whole.get(3));
            return WideMemory.ofThread().tensor(slot, like.device(), shape);
        }

        Tensor load(Tensor all, int slot) {
            Tensor wide = empty(all, slot);
            move(all, wide, true);
            return wide;
        }

        GradientBuffer load(GradientBuffer buffer, int slot) {
            boolean add = buffer.accumulate();
            return new GradientBuffer(add ? load(buffer.gradient(), slot) : empty(buffer.gradient(), slot), add);
        }

        void store(Tensor wide, Tensor all) {
            move(all, wide, false);
        }

        private void move(Tensor all, Tensor wide, boolean load) {
            long width = width();
            for (long token = 0; token < whole.get(1); token++) {
                if (load) {
                    Conversion.load(all, place(token), wide, token * width, width);
                } else {
                    Conversion.store(wide, token * width, all, place(token), width);
                }
            }
        }

        /** The elements of {@code [B, H, T]} that belong to the head. */
        Tensor statistics(Tensor all) {
            long first = b * whole.get(2) + g * heads();
            return all.reshape(whole.get(0) * whole.get(2), whole.get(1))
                    .slice(first, first + heads())
                    .reshape(1, heads(), whole.get(1));
        }
    }
}

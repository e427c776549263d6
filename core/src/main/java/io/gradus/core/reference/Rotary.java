package io.gradus.core.reference;

import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.RotaryKernels;

/** One pair of elements at a time. */
final class Rotary implements RotaryKernels {

    @Override
    public void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate) {
        Shape shape = x.shape();
        long heads = shape.get(2);
        long length = shape.get(3);
        long half = length / 2;
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long token = 0; token < shape.get(0) * shape.get(1); token++) {
            int position = Elements.of(positions).getInt(token);
            if (position < 0 || position >= cos.shape().get(0)) {
                throw new IllegalArgumentException("rotary: position " + position + " is not in a table of "
                        + cos.shape().get(0) + "; check max_position_embeddings, or cut the sequence");
            }
            for (long head = 0; head < heads; head++) {
                long start = (token * heads + head) * length;
                for (long i = 0; i < half; i++) {
                    double c = Elements.of(cos).get(position * half + i);
                    double s = Elements.of(sin).get(position * half + i) * (inverse ? -1 : 1);
                    long first = start + (layout == RopeLayout.HALF_SPLIT ? i : 2 * i);
                    long second = start + (layout == RopeLayout.HALF_SPLIT ? i + half : 2 * i + 1);
                    double u = from.get(first);
                    double v = from.get(second);
                    to.put(first, u * c - v * s, accumulate);
                    to.put(second, v * c + u * s, accumulate);
                }
            }
        }
    }
}

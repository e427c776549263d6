package io.gradus.core.reference;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.MovementKernels;

/** Copies elements between positions given by strides. */
final class Movement implements MovementKernels {

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        long[] own = x.shape().strides();
        long[] strides = new long[order.length];
        for (int axis = 0; axis < order.length; axis++) {
            strides[axis] = own[order[axis]];
        }
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.put(i, from.get(Elements.position(i, out.shape(), strides)), accumulate);
        }
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        long[] strides = x.shape().strides();
        long first = start * strides[x.shape().axis(axis)];
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.put(i, from.get(first + Elements.position(i, out.shape(), strides)), accumulate);
        }
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        long[] strides = out.shape().strides();
        long first = start * strides[out.shape().axis(axis)];
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < x.size(); i++) {
            to.put(first + Elements.position(i, x.shape(), strides), from.get(i), accumulate);
        }
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, from.get(chosen(x.shape(), axis, index, i)));
        }
    }

    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        to.clearUnless(accumulate);
        for (long i = 0; i < dy.size(); i++) {
            to.add(chosen(dx.shape(), axis, index, i), from.get(i));
        }
    }

    /** The position in {@code whole} of element i of the index: the same coordinates except along the axis. */
    private static long chosen(Shape whole, int axis, Tensor index, long i) {
        int resolved = whole.axis(axis);
        int chosen = Elements.of(index).getInt(i);
        if (chosen < 0 || chosen >= whole.get(resolved)) {
            throw new IllegalArgumentException("gather: index " + chosen + " is outside axis " + axis + " of " + whole);
        }
        long[] strides = whole.strides();
        long alongAxis = strides[resolved];
        strides[resolved] = 0;
        return Elements.position(i, index.shape(), strides) + chosen * alongAxis;
    }
}

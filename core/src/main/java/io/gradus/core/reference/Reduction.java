package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ReductionKernels;
import java.util.List;

/** Each input element contributes to the output element that would broadcast to it. */
final class Reduction implements ReductionKernels {

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        long[] strides = out.shape().broadcastStrides(x.shape());
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        to.clearUnless(accumulate);
        for (long i = 0; i < x.size(); i++) {
            to.add(Elements.position(i, x.shape(), strides), from.get(i));
        }
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        long[] strides = out.shape().broadcastStrides(x.shape());
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, Double.NEGATIVE_INFINITY);
        }
        for (long i = 0; i < x.size(); i++) {
            long position = Elements.position(i, x.shape(), strides);
            to.set(position, Math.max(to.get(position), from.get(i))); // NaN wins
        }
    }

    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        long[] strides = y.shape().broadcastStrides(x.shape());
        Elements input = Elements.of(x);
        Elements largest = Elements.of(y);
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        int[] equal = new int[Math.toIntExact(y.size())];
        for (long i = 0; i < x.size(); i++) {
            int position = (int) Elements.position(i, x.shape(), strides);
            equal[position] += input.get(i) == largest.get(position) ? 1 : 0;
        }
        for (long i = 0; i < x.size(); i++) {
            int position = (int) Elements.position(i, x.shape(), strides);
            boolean isLargest = input.get(i) == largest.get(position);
            to.put(i, isLargest ? from.get(position) / equal[position] : 0, accumulate);
        }
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        double sum = 0;
        for (Tensor tensor : tensors) {
            Elements elements = Elements.of(tensor);
            for (long i = 0; i < tensor.size(); i++) {
                sum += elements.get(i) * elements.get(i);
            }
        }
        return sum;
    }
}

package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.LstmKernels;

/** One unit at a time. */
final class Lstm implements LstmKernels {

    @Override
    public void lstmCell(Tensor gates, Tensor cell, Tensor nextCell, Tensor hidden) {
        Elements sums = Elements.of(gates);
        long width = cell.shape().last();
        for (long i = 0; i < cell.size(); i++) {
            long at = i / width * 4 * width + i % width;
            double in = Functions.value(Unary.SIGMOID, sums.get(at));
            double forget = Functions.value(Unary.SIGMOID, sums.get(at + width));
            double candidate = Math.tanh(sums.get(at + 2 * width));
            double out = Functions.value(Unary.SIGMOID, sums.get(at + 3 * width));
            double next = forget * Elements.of(cell).get(i) + in * candidate;
            sums.set(at, in);
            sums.set(at + width, forget);
            sums.set(at + 2 * width, candidate);
            sums.set(at + 3 * width, out);
            Elements.of(nextCell).set(i, next);
            Elements.of(hidden).set(i, out * Math.tanh(next));
        }
    }

    @Override
    public void lstmCellBackward(
            Tensor gates, Tensor cell, Tensor nextCell, Tensor dhidden, Tensor dcell, Tensor dgates) {
        Elements values = Elements.of(gates);
        Elements gradients = Elements.of(dgates);
        long width = cell.shape().last();
        for (long i = 0; i < cell.size(); i++) {
            long at = i / width * 4 * width + i % width;
            double in = values.get(at);
            double forget = values.get(at + width);
            double candidate = values.get(at + 2 * width);
            double out = values.get(at + 3 * width);
            double state = Math.tanh(Elements.of(nextCell).get(i));
            double outer = Elements.of(dhidden).get(i);
            double delta = Elements.of(dcell).get(i) + outer * out * (1 - state * state);
            gradients.set(at, delta * candidate * in * (1 - in));
            gradients.set(at + width, delta * Elements.of(cell).get(i) * forget * (1 - forget));
            gradients.set(at + 2 * width, delta * in * (1 - candidate * candidate));
            gradients.set(at + 3 * width, outer * state * out * (1 - out));
            Elements.of(dcell).set(i, delta * forget);
        }
    }
}

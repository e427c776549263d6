package io.gradus.bench.libtorch;

import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.Tensor;

/** {@code at::_softmax_backward_data_out}: the kernel of autograd's backward pass, without allocation. */
public final class SoftmaxBackward {
    private static final Function FUNCTION = Script.function("softmax_backward_out");

    private final IValueVector arguments;

    public SoftmaxBackward(Tensor dy, Tensor y, Tensor dx) {
        arguments = new IValueVector(new IValue(dy), new IValue(y), new IValue(dx));
    }

    /** Performs the backward pass. */
    public void run() {
        FUNCTION.apply(arguments).close();
    }
}

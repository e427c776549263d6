package io.gradus.bench.cases;

import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Layer norm and RMS norm over rows of 768 elements: forward, and with the gradients of the input and the parameters through
 * autograd. libtorch: {@code at::layer_norm} and {@code at::rms_norm}, which have no form without allocation.
 */
public final class NormCases implements Group {
    private static final long ROWS = 1024;
    private static final long WIDTH = 768;
    private static final double EPS = 1e-5;
    private static final double BYTES = 4.0 * ROWS * WIDTH;

    @Override
    public String name() {
        return "norms";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        try (Scope _ = Scope.open("norms");
                PointerScope _ = new PointerScope()) {
            TwinVariable x = new TwinVariable("x", Twin.random(device, 1, 2, ROWS, WIDTH));
            TwinVariable weight = new TwinVariable("weight", Twin.random(device, 2, 1, WIDTH));
            TwinVariable bias = new TwinVariable("bias", Twin.random(device, 3, 1, WIDTH));
            Twin dy = Twin.random(device, 4, 1, ROWS, WIDTH);
            long[] shape = {WIDTH};
            TensorOptional theirWeight = new TensorOptional(weight.theirs());
            TensorOptional theirBias = new TensorOptional(bias.theirs());
            DoubleOptional eps = new DoubleOptional(EPS);
            GradientCases.measure(
                    measure,
                    "layer norm",
                    () -> x.ours().layerNorm(weight.ours(), bias.ours(), EPS),
                    () -> torch.layer_norm(x.theirs(), shape, theirWeight, theirBias, EPS, true),
                    dy,
                    Work.bytes(2 * BYTES),
                    Work.bytes(5 * BYTES),
                    x,
                    weight,
                    bias);
            GradientCases.measure(
                    measure,
                    "RMS norm",
                    () -> x.ours().rmsNorm(weight.ours(), EPS),
                    () -> torch.rms_norm(x.theirs(), shape, theirWeight, eps),
                    dy,
                    Work.bytes(2 * BYTES),
                    Work.bytes(5 * BYTES),
                    x,
                    weight);
        }
    }
}

package io.gradus.bench.cases;

import io.gradus.bench.libtorch.SoftmaxBackward;
import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;

/**
 * Softmax over rows with lengths from an attention head to a vocabulary. libtorch: {@code at::softmax_out} and
 * {@code at::_softmax_backward_data_out}, which do not allocate.
 */
public final class SoftmaxCases implements Group {
    private static final double TOLERANCE = 1e-5;

    @Override
    public String name() {
        return "softmax";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        run(device, 16_384, 64, measure);
        run(device, 4096, 256, measure);
        run(device, 2048, 1024, measure);
        run(device, 256, 50_257, measure);
    }

    private static void run(Device device, long rows, long columns, Consumer<Case> measure) {
        try (Scope _ = Scope.open("softmax");
                PointerScope _ = new PointerScope()) {
            Twin x = Twin.random(device, 1, 5, rows, columns);
            Twin y = Twin.zeros(device, rows, columns);
            Twin dy = Twin.random(device, 2, 1, rows, columns);
            Twin dx = Twin.zeros(device, rows, columns);
            SoftmaxBackward theirBackward = new SoftmaxBackward(dy.theirs(), y.theirs(), dx.theirs());
            Runnable ours = () -> device.kernels().softmax().softmax(x.ours(), y.ours());
            Runnable theirs =
                    () -> torch.softmax_out(y.theirs(), x.theirs(), -1).close();
            Runnable oursBoth = () -> {
                ours.run();
                device.kernels().softmax().softmaxBackward(y.ours(), dy.ours(), dx.ours(), false);
            };
            Runnable theirsBoth = () -> {
                theirs.run();
                theirBackward.run();
            };
            double bytes = 4.0 * rows * columns;
            measure.accept(new Case(
                    "softmax " + columns + " fwd",
                    ours,
                    theirs,
                    () -> {
                        ours.run();
                        theirs.run();
                        return y.difference();
                    },
                    TOLERANCE,
                    Work.bytes(2 * bytes)));
            measure.accept(new Case(
                    "softmax " + columns + " fwd+bwd",
                    oursBoth,
                    theirsBoth,
                    () -> {
                        oursBoth.run();
                        theirsBoth.run();
                        return dx.difference();
                    },
                    TOLERANCE,
                    Work.bytes(5 * bytes)));
        }
    }
}

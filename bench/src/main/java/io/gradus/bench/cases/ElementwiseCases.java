package io.gradus.bench.cases;

import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;

/**
 * Activation functions on GPT-2's feed-forward activations with 1,024 rows: 3.1 million elements. libtorch: the {@code _out}
 * forms, which do not allocate.
 */
public final class ElementwiseCases implements Group {
    private static final long ROWS = 1024;
    private static final long COLUMNS = 3072;
    private static final double TOLERANCE = 1e-5;

    @Override
    public String name() {
        return "elementwise";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        try (Scope _ = Scope.open("elementwise");
                PointerScope _ = new PointerScope()) {
            Twin x = Twin.random(device, 1, 4, ROWS, COLUMNS);
            Twin dy = Twin.random(device, 2, 1, ROWS, COLUMNS);
            Twin out = Twin.zeros(device, ROWS, COLUMNS);
            var kernels = device.kernels().elementwise();
            forward(
                    measure,
                    "GELU tanh",
                    out,
                    () -> kernels.unary(Unary.GELU_TANH, x.ours(), out.ours()),
                    () -> torch.gelu_out(out.theirs(), x.theirs(), "tanh").close());
            backward(
                    measure,
                    "GELU tanh",
                    out,
                    () -> kernels.unaryBackward(Unary.GELU_TANH, x.ours(), x.ours(), dy.ours(), out.ours(), false),
                    () -> torch.gelu_backward_out(out.theirs(), dy.theirs(), x.theirs(), "tanh")
                            .close());
            forward(
                    measure,
                    "GELU erf",
                    out,
                    () -> kernels.unary(Unary.GELU, x.ours(), out.ours()),
                    () -> torch.gelu_out(out.theirs(), x.theirs()).close());
            backward(
                    measure,
                    "GELU erf",
                    out,
                    () -> kernels.unaryBackward(Unary.GELU, x.ours(), x.ours(), dy.ours(), out.ours(), false),
                    () -> torch.gelu_backward_out(out.theirs(), dy.theirs(), x.theirs())
                            .close());
            forward(
                    measure,
                    "SiLU",
                    out,
                    () -> kernels.unary(Unary.SILU, x.ours(), out.ours()),
                    () -> torch.silu_out(out.theirs(), x.theirs()).close());
            backward(
                    measure,
                    "SiLU",
                    out,
                    () -> kernels.unaryBackward(Unary.SILU, x.ours(), x.ours(), dy.ours(), out.ours(), false),
                    () -> torch.silu_backward_out(out.theirs(), dy.theirs(), x.theirs())
                            .close());
            forward(
                    measure,
                    "exp",
                    out,
                    () -> kernels.unary(Unary.EXP, x.ours(), out.ours()),
                    () -> torch.exp_out(out.theirs(), x.theirs()).close());
            forward(
                    measure,
                    "tanh",
                    out,
                    () -> kernels.unary(Unary.TANH, x.ours(), out.ours()),
                    () -> torch.tanh_out(out.theirs(), x.theirs()).close());
        }
    }

    private static void forward(Consumer<Case> measure, String name, Twin out, Runnable ours, Runnable theirs) {
        measure(measure, name + " fwd", out, ours, theirs, 8.0 * ROWS * COLUMNS);
    }

    private static void backward(Consumer<Case> measure, String name, Twin out, Runnable ours, Runnable theirs) {
        measure(measure, name + " bwd", out, ours, theirs, 12.0 * ROWS * COLUMNS);
    }

    private static void measure(
            Consumer<Case> measure, String name, Twin out, Runnable ours, Runnable theirs, double bytes) {
        measure.accept(new Case(
                name,
                ours,
                theirs,
                () -> {
                    ours.run();
                    theirs.run();
                    return out.difference();
                },
                TOLERANCE,
                Work.bytes(bytes)));
    }
}

package io.gradus.gpu.gemm;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.gpu.runtime.Launcher;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products, by one of a ladder of kernels. Which is fastest depends on the kind of device, and so the kernel does:
 * {@link Rung#LANES} on a CPU, {@link Rung#BLOCKED} on a GPU, or the one that {@code -Dgradus.gpu.gemm=tiled} names.
 *
 * <p>All of them add up in F32, in parts of at most {@value GemmProduct#PART} products that are then added: so the error of
 * a sum grows with the length of a part and the number of parts, not with their product. Tensor cores are not used.
 */
public final class Gemm implements GemmKernels {
    /** The property that names a rung. */
    public static final String PROPERTY = "gradus.gpu.gemm";

    /** The kernels, from the simplest on. */
    public enum Rung {
        /** {@link NaiveGemm}. */
        NAIVE,
        /** {@link TiledGemm}. */
        TILED,
        /** {@link RowsGemm}. */
        ROWS,
        /** {@link LanesGemm}. */
        LANES,
        /** {@link BlockedGemm}. */
        BLOCKED
    }

    private final Launcher launcher;
    private final Rung rung;

    public Gemm(Launcher launcher) {
        this(launcher, chosen(System.getProperty(PROPERTY), launcher.isCpu()));
    }

    public Gemm(Launcher launcher, Rung rung) {
        this.launcher = launcher;
        this.rung = rung;
    }

    /**
     * @param name a rung's, or null for what is best on the kind of device
     * @throws IllegalArgumentException when it is none
     */
    public static Rung chosen(@Nullable String name, boolean cpu) {
        if (name == null) {
            return cpu ? Rung.LANES : Rung.BLOCKED;
        }
        return Arrays.stream(Rung.values())
                .filter(each -> word(each).equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("-D" + PROPERTY + "=" + name + " is not one of "
                        + Arrays.stream(Rung.values()).map(Gemm::word).collect(Collectors.joining(", "))));
    }

    private static String word(Rung rung) {
        return rung.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        multiply(new GemmProduct(a, transposeA, b, transposeB, out, accumulate, null, GemmProduct.IDENTITY));
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        int activation = code(epilogue.activation());
        multiply(new GemmProduct(a, transposeA, b, transposeB, out, false, epilogue.bias(), activation));
        if (epilogue.activation() != null && activation == GemmProduct.IDENTITY) {
            out.kernels().elementwise().unary(epilogue.activation(), out, out);
        }
    }

    /** The number under which kernels know an activation; {@link GemmProduct#IDENTITY} if they do not. */
    private static int code(@Nullable Unary activation) {
        return switch (activation) {
            case GELU -> GemmProduct.GELU;
            case GELU_TANH -> GemmProduct.GELU_TANH;
            case SILU -> GemmProduct.SILU;
            case null, default -> GemmProduct.IDENTITY;
        };
    }

    private void multiply(GemmProduct product) {
        Tensor a = widened(product.a());
        try {
            Tensor b = widened(product.b());
            try {
                multiplyWidened(product.of(a, b).folded());
            } finally {
                release(b, product.b());
            }
        } finally {
            release(a, product.a());
        }
    }

    private void multiplyWidened(GemmProduct p) {
        // A GPU's grid has no more items than an int counts: many tiny matrices go element by element.
        boolean many = p.batch() * Math.ceilDiv(p.m(), 16L) * Math.ceilDiv(p.n(), 16L) * 256 > Integer.MAX_VALUE - 256;
        switch (many ? Rung.NAIVE : rung) {
            case NAIVE -> NaiveGemm.run(launcher, p);
            case TILED -> TiledGemm.run(launcher, p);
            case ROWS -> RowsGemm.run(launcher, p);
            case LANES -> LanesGemm.run(launcher, p);
            case BLOCKED -> BlockedGemm.run(launcher, p);
        }
    }

    /** An operand in F32: itself, or a copy for the time of the product. */
    private static Tensor widened(Tensor operand) {
        return operand.dtype() == DType.F32
                ? operand
                : operand.to(operand.device(), DType.F32, MemoryCategory.WORKSPACE);
    }

    private static void release(Tensor widened, Tensor operand) {
        if (widened != operand) {
            widened.release();
        }
    }
}

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
 * Matrix products with one of several algorithms, because the fastest one depends on the device: {@link
 * Algorithm#LANES} on a CPU, {@link Algorithm#BLOCKED} on a GPU, or the one selected by {@code
 * -Dgradus.gpu.gemm=tiled}.
 *
 * <p>All algorithms add in F32, in parts of at most {@value GemmProduct#PART} products whose sums are then added. The
 * error of a sum grows with the length of a part plus the number of parts, not with their product. Tensor cores are not
 * used.
 */
public final class Gemm implements GemmKernels {
    /** The system property that selects an algorithm. */
    public static final String PROPERTY = "gradus.gpu.gemm";

    /** The algorithms, simplest first. */
    public enum Algorithm {
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
    private final Algorithm algorithm;

    public Gemm(Launcher launcher) {
        this(launcher, chosen(System.getProperty(PROPERTY), launcher.isCpu()));
    }

    public Gemm(Launcher launcher, Algorithm algorithm) {
        this.launcher = launcher;
        this.algorithm = algorithm;
    }

    /**
     * @param name the name of an algorithm, or null for the best one for the device
     * @throws IllegalArgumentException if there is no such algorithm
     */
    public static Algorithm chosen(@Nullable String name, boolean cpu) {
        if (name == null) {
            return cpu ? Algorithm.LANES : Algorithm.BLOCKED;
        }
        return Arrays.stream(Algorithm.values())
                .filter(each -> word(each).equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("-D" + PROPERTY + "=" + name + " is not one of "
                        + Arrays.stream(Algorithm.values()).map(Gemm::word).collect(Collectors.joining(", "))));
    }

    private static String word(Algorithm algorithm) {
        return algorithm.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        if (out.dtype() == DType.F32) {
            multiply(new GemmProduct(a, transposeA, b, transposeB, out, accumulate, null, GemmProduct.IDENTITY));
            return;
        }
        Tensor floats = out.to(out.device(), DType.F32, MemoryCategory.WORKSPACE);
        multiply(new GemmProduct(a, transposeA, b, transposeB, floats, accumulate, null, GemmProduct.IDENTITY));
        out.kernels().cast().cast(floats, out);
        floats.release();
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        if (out.dtype() != DType.F32) {
            GemmKernels.super.matmul(a, transposeA, b, transposeB, epilogue, out);
            return;
        }
        int activation = code(epilogue.activation());
        multiply(new GemmProduct(a, transposeA, b, transposeB, out, false, epilogue.bias(), activation));
        if (epilogue.activation() != null && activation == GemmProduct.IDENTITY) {
            out.kernels().elementwise().unary(epilogue.activation(), out, out);
        }
    }

    /** The number of an activation in the descriptor; {@link GemmProduct#IDENTITY} if the kernels do not have it. */
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
        // The number of work-items must fit an int: many tiny matrices take one item per element instead of padded
        // tiles.
        boolean many = p.batch() * Math.ceilDiv(p.m(), 16L) * Math.ceilDiv(p.n(), 16L) * 256 > Integer.MAX_VALUE - 256;
        switch (many ? Algorithm.NAIVE : algorithm) {
            case NAIVE -> NaiveGemm.run(launcher, p);
            case TILED -> TiledGemm.run(launcher, p);
            case ROWS -> RowsGemm.run(launcher, p);
            case LANES -> LanesGemm.run(launcher, p);
            case BLOCKED -> BlockedGemm.run(launcher, p);
        }
    }

    /** An operand in F32: itself, or a temporary copy. */
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

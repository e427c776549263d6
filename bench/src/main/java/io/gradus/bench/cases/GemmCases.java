package io.gradus.bench.cases;

import io.gradus.bench.measure.Work;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Every matrix product of a training step of GPT-2 (124M) with B·T = 256 and 1,024 rows, and square matrices. libtorch:
 * {@code at::mm_out} with transposed views.
 *
 * <p>In medium precision, operands and results are F32 in memory on both sides, and rounding them is part of the time. libtorch
 * rounds them to BF16, as its autocast does, and converts the result. Its result is rounded to BF16 and ours is not.
 *
 * <p>In BF16, operands and results are BF16 in memory.
 */
public final class GemmCases implements Group {
    private static final int WIDTH = 768;
    private static final int VOCABULARY = 50_257;
    private static final double TOLERANCE = 1e-4;
    /** Half of the distance of two BF16, and something for sums. */
    private static final double BF16_TOLERANCE = 5e-3;
    /** The distance of two BF16: sums that differ in order may be rounded to either. */
    private static final double NEIGHBOR_TOLERANCE = 1e-2;

    private final Precision precision;

    public GemmCases(Precision precision) {
        this.precision = precision;
    }

    /**
     * {@code [m, k] · [k, n]}.
     *
     * @param transposeA whether the first operand is stored as {@code [k, m]}
     * @param transposeB whether the second is stored as {@code [n, k]}
     */
    public record Form(String name, boolean transposeA, boolean transposeB, int m, int n, int k) {

        /** Whether the vocabulary is a dimension of the result, a shape for which many libraries are slow. */
        public boolean hasVocabularyEdge() {
            return m == VOCABULARY || n == VOCABULARY;
        }

        private String label() {
            return name + " " + (transposeA ? 'T' : 'N') + (transposeB ? 'T' : 'N');
        }
    }

    /** All products. Names consist of the layer and the number of rows. */
    static List<Form> forms() {
        List<Form> forms = new ArrayList<>();
        for (int n : new int[] {256, 512, 1024, 2048}) {
            forms.add(new Form("square " + n, false, false, n, n, n));
        }
        forms.add(new Form("square 1024", false, true, 1024, 1024, 1024));
        forms.add(new Form("square 1024", true, false, 1024, 1024, 1024));
        for (int rows : new int[] {256, 1024}) {
            forms.add(new Form("qkv " + rows, false, false, rows, 3 * WIDTH, WIDTH));
            forms.add(new Form("proj " + rows, false, false, rows, WIDTH, WIDTH));
            forms.add(new Form("fc " + rows, false, false, rows, 4 * WIDTH, WIDTH));
            forms.add(new Form("fc2 " + rows, false, false, rows, WIDTH, 4 * WIDTH));
            forms.add(new Form("head " + rows, false, true, rows, VOCABULARY, WIDTH));
        }
        for (int rows : new int[] {256, 1024}) {
            forms.add(new Form("dX qkv " + rows, false, true, rows, WIDTH, 3 * WIDTH));
            if (rows == 256) { // with 1,024 rows this has the shape of another case
                forms.add(new Form("dX proj " + rows, false, true, rows, WIDTH, WIDTH));
            }
            forms.add(new Form("dX fc " + rows, false, true, rows, WIDTH, 4 * WIDTH));
            forms.add(new Form("dX fc2 " + rows, false, true, rows, 4 * WIDTH, WIDTH));
            forms.add(new Form("dX head " + rows, false, false, rows, WIDTH, VOCABULARY));
        }
        for (int rows : new int[] {256, 1024}) {
            forms.add(new Form("dW qkv " + rows, true, false, WIDTH, 3 * WIDTH, rows));
            if (rows == 256) {
                forms.add(new Form("dW proj " + rows, true, false, WIDTH, WIDTH, rows));
            }
            forms.add(new Form("dW fc " + rows, true, false, WIDTH, 4 * WIDTH, rows));
            forms.add(new Form("dW fc2 " + rows, true, false, 4 * WIDTH, WIDTH, rows));
            forms.add(new Form("dW head " + rows, true, false, VOCABULARY, WIDTH, rows));
        }
        return forms;
    }

    /** Whether the vocabulary is a dimension of the result of the case with this name. */
    public static boolean hasVocabularyEdge(String caseName) {
        return forms().stream()
                .anyMatch(form -> form.hasVocabularyEdge() && form.label().equals(caseName));
    }

    @Override
    public String name() {
        return precision.group("gemm");
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        for (Form form : forms()) {
            try (Scope _ = Scope.open("gemm");
                    PointerScope _ = new PointerScope()) {
                measure.accept(of(device.withMatmulPrecision(precision.products()), form));
            }
        }
    }

    private Case of(Device device, Form f) {
        DType dtype = precision.dtype();
        boolean rounds = precision.equals(Precision.MEDIUM);
        Twin a = (f.transposeA ? Twin.random(device, 1, 1, f.k, f.m) : Twin.random(device, 1, 1, f.m, f.k)).to(dtype);
        Twin b = (f.transposeB ? Twin.random(device, 2, 1, f.n, f.k) : Twin.random(device, 2, 1, f.k, f.n)).to(dtype);
        Twin out = Twin.zeros(device, f.m, f.n).to(dtype);
        Tensor left = f.transposeA ? a.theirs().t() : a.theirs();
        Tensor right = f.transposeB ? b.theirs().t() : b.theirs();
        Runnable ours =
                () -> device.kernels().gemm().matmul(a.ours(), f.transposeA, b.ours(), f.transposeB, out.ours(), false);
        Runnable theirs = rounds
                ? () -> multiplyRounded(left, right, out.theirs())
                : () -> torch.mm_out(out.theirs(), left, right).close();
        return new Case(
                f.label(),
                ours,
                theirs,
                () -> {
                    ours.run();
                    theirs.run();
                    return out.to(DType.F32).difference();
                },
                dtype == DType.BF16 ? NEIGHBOR_TOLERANCE : rounds ? BF16_TOLERANCE : TOLERANCE,
                Work.flops(2.0 * f.m * f.n * f.k));
    }

    private static void multiplyRounded(Tensor left, Tensor right, Tensor out) {
        try (PointerScope _ = new PointerScope()) {
            Tensor product = left.to(torch.ScalarType.BFloat16).mm(right.to(torch.ScalarType.BFloat16));
            out.copy_(product);
        }
    }
}

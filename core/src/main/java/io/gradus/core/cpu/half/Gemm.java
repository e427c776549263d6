package io.gradus.core.cpu.half;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;

/** Matrix products. The kernels read and write 16 bits themselves, except for the bias. */
record Gemm(GemmKernels kernels) implements GemmKernels {

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        kernels.matmul(a, transposeA, b, transposeB, out, accumulate);
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        Tensor bias = epilogue.bias();
        Epilogue wide = bias == null ? epilogue : new Epilogue(Blocks.whole(bias, 0), epilogue.activation());
        kernels.matmul(a, transposeA, b, transposeB, wide, out);
    }
}

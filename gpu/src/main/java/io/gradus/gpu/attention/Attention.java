package io.gradus.gpu.attention;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;

/** {@link AttentionKernels}: {@link AttentionForward} and {@link AttentionBackward}. */
public final class Attention implements AttentionKernels {
    private final Launcher launcher;

    public Attention(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        try (Workspace none = AttentionSizes.none(q, settings)) {
            AttentionForward.run(launcher, AttentionSizes.of(q, k, v, settings, none.tensor()), out, logSumExp);
        }
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions settings,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        try (Workspace none = AttentionSizes.none(q, settings);
                Workspace statistics = AttentionBackward.statistics(logSumExp)) {
            AttentionBackward.run(
                    launcher,
                    AttentionSizes.of(q, k, v, settings, none.tensor()),
                    statistics.tensor(),
                    out,
                    logSumExp,
                    dout,
                    dq,
                    dk,
                    dv);
        }
    }
}

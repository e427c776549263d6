package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.RotaryKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link RotaryKernels}, a work-item for each pair. */
final class Rotary implements RotaryKernels {
    private static final Kernel ROTATE = Kernel.of("rotary", Rotary::rotateKernel);

    private final Launcher launcher;

    Rotary(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate) {
        int[] places = Ids.of(positions);
        int bad = Ids.firstOutside(places, cos.shape().get(0));
        if (bad >= 0) {
            throw RotaryKernels.badPosition(places[bad], cos.shape().get(0));
        }
        long half = cos.shape().get(1);
        boolean split = layout == RopeLayout.HALF_SPLIT;
        launcher.run(
                ROTATE,
                x.size() / 2,
                ints(x.size() / 2, half, x.shape().get(2), split ? 1 : 2, split ? half : 1, accumulate ? 1 : 0),
                floats(inverse ? -1 : 1),
                x,
                cos,
                sin,
                positions,
                out);
    }

    /** Element u of a pair lies {@code pair·step} into its head, element v a distance further. */
    private static void rotateKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray cos,
            FloatArray sin,
            IntArray positions,
            FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(5)) {
            int half = d.get(6);
            int head = i / half;
            int pair = i % half;
            int first = head * half * 2 + pair * d.get(8);
            int second = first + d.get(9);
            int angle = positions.get(d.get(3) + head / d.get(7)) * half + pair;
            float cosine = cos.get(d.get(1) + angle);
            float sine = sin.get(d.get(2) + angle) * s.get(0);
            float u = x.get(d.get(0) + first);
            float v = x.get(d.get(0) + second);
            float turnedU = u * cosine - v * sine;
            float turnedV = v * cosine + u * sine;
            if (d.get(10) != 0) {
                turnedU = turnedU + out.get(d.get(4) + first);
                turnedV = turnedV + out.get(d.get(4) + second);
            }
            out.set(d.get(4) + first, turnedU);
            out.set(d.get(4) + second, turnedV);
        }
    }
}

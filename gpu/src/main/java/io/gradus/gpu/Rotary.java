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

/** {@link RotaryKernels}, one pair of elements per work-item. */
final class Rotary implements RotaryKernels {
    private static final Kernel ROTATE = Kernel.of("rotary", Rotary::rotateKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int X = 0;
    private static final int COS = 1;
    private static final int SIN = 2;
    private static final int POSITIONS = 3;
    private static final int OUT = 4;
    private static final int N = Kernel.INTS;
    private static final int HALF = Kernel.INTS + 1;
    private static final int HEADS = Kernel.INTS + 2;
    private static final int STEP = Kernel.INTS + 3;
    private static final int DISTANCE = Kernel.INTS + 4;
    private static final int ACCUMULATE = Kernel.INTS + 5;

    // The floats of the launch.
    private static final int DIRECTION = 0;

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

    /** The first element of a pair is {@code pair·step} into its head; the second is {@code distance} further. */
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
        if (i < d.get(N)) {
            int half = d.get(HALF);
            int head = i / half;
            int pair = i % half;
            int first = head * half * 2 + pair * d.get(STEP);
            int second = first + d.get(DISTANCE);
            int angle = positions.get(d.get(POSITIONS) + head / d.get(HEADS)) * half + pair;
            float cosine = cos.get(d.get(COS) + angle);
            float sine = sin.get(d.get(SIN) + angle) * s.get(DIRECTION);
            float u = x.get(d.get(X) + first);
            float v = x.get(d.get(X) + second);
            float turnedU = u * cosine - v * sine;
            float turnedV = v * cosine + u * sine;
            if (d.get(ACCUMULATE) != 0) {
                turnedU = turnedU + out.get(d.get(OUT) + first);
                turnedV = turnedV + out.get(d.get(OUT) + second);
            }
            out.set(d.get(OUT) + first, turnedU);
            out.set(d.get(OUT) + second, turnedV);
        }
    }
}

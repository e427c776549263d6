package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.LstmKernels;
import io.gradus.gpu.math.FloatMath;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link LstmKernels}, one unit per work-item. */
final class Lstm implements LstmKernels {
    private static final Kernel CELL = Kernel.of("lstm_cell", Lstm::cellKernel);
    private static final Kernel CELL_BACKWARD = Kernel.of("lstm_cell_backward", Lstm::cellBackwardKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int GATES = 0;
    private static final int BEFORE = 1;
    private static final int AFTER = 2;
    private static final int HIDDEN = 3;
    private static final int DHIDDEN = 3;
    private static final int DCELL = 4;
    private static final int DGATES = 5;
    private static final int N = Kernel.INTS;
    private static final int WIDTH = Kernel.INTS + 1;

    private final Launcher launcher;

    Lstm(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void lstmCell(Tensor gates, Tensor cell, Tensor nextCell, Tensor hidden) {
        int[] ints = ints(cell.size(), cell.shape().last());
        launcher.run(CELL, cell.size(), ints, floats(), gates, cell, nextCell, hidden);
    }

    private static void cellKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray gates,
            FloatArray before,
            FloatArray after,
            FloatArray hidden) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int width = d.get(WIDTH);
            int at = d.get(GATES) + i / width * 4 * width + i % width;
            float in = FloatMath.sigmoid(gates.get(at));
            float forget = FloatMath.sigmoid(gates.get(at + width));
            float candidate = FloatMath.tanh(gates.get(at + 2 * width));
            float out = FloatMath.sigmoid(gates.get(at + 3 * width));
            float next = forget * before.get(d.get(BEFORE) + i) + in * candidate;
            gates.set(at, in);
            gates.set(at + width, forget);
            gates.set(at + 2 * width, candidate);
            gates.set(at + 3 * width, out);
            after.set(d.get(AFTER) + i, next);
            hidden.set(d.get(HIDDEN) + i, out * FloatMath.tanh(next));
        }
    }

    @Override
    public void lstmCellBackward(
            Tensor gates, Tensor cell, Tensor nextCell, Tensor dhidden, Tensor dcell, Tensor dgates) {
        int[] ints = ints(cell.size(), cell.shape().last());
        launcher.run(CELL_BACKWARD, cell.size(), ints, floats(), gates, cell, nextCell, dhidden, dcell, dgates);
    }

    private static void cellBackwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray gates,
            FloatArray before,
            FloatArray after,
            FloatArray dhidden,
            FloatArray dcell,
            FloatArray dgates) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int width = d.get(WIDTH);
            int unit = i / width * 4 * width + i % width;
            int at = d.get(GATES) + unit;
            int to = d.get(DGATES) + unit;
            float in = gates.get(at);
            float forget = gates.get(at + width);
            float candidate = gates.get(at + 2 * width);
            float out = gates.get(at + 3 * width);
            float state = FloatMath.tanh(after.get(d.get(AFTER) + i));
            float outer = dhidden.get(d.get(DHIDDEN) + i) * out;
            float delta = dcell.get(d.get(DCELL) + i) + outer * (1 - state * state);
            dgates.set(to, delta * candidate * in * (1 - in));
            dgates.set(to + width, delta * before.get(d.get(BEFORE) + i) * forget * (1 - forget));
            dgates.set(to + 2 * width, delta * in * (1 - candidate * candidate));
            dgates.set(to + 3 * width, outer * state * (1 - out));
            dcell.set(d.get(DCELL) + i, delta * forget);
        }
    }
}

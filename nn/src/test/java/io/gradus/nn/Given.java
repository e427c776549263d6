package io.gradus.nn;

import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;

/** Parameters and data for tests. */
public final class Given {
    private Given() {}

    public static WeightSource weights() {
        return WeightSource.random(Device.cpu(), 7);
    }

    /** Normal numbers with mean 0.2 and standard deviation 1, the same for the same {@code place}. */
    public static Tensor random(int place, long... shape) {
        Tensor tensor = Tensor.of(new float[Math.toIntExact(Shape.of(shape).size())], shape);
        tensor.kernels().random().normal(tensor, 0.2, 1, new Philox.Key(11, 0, place));
        return tensor;
    }

    /** Sets every parameter to such numbers, so that a missing scale or bias changes the result. */
    public static <M extends Module> M randomized(M module) {
        int place = 100;
        for (var parameter : module.parameters()) {
            parameter.value().copyFrom(random(place++, parameter.shape().toArray()));
        }
        return module;
    }

    public static Tensor ids(int rows, int... ids) {
        return Tensor.of(ids, rows, ids.length / rows);
    }

    /** Whether an element differs from 0. */
    public static boolean isNotZero(double[] elements) {
        return Arrays.stream(elements).anyMatch(element -> element != 0);
    }
}

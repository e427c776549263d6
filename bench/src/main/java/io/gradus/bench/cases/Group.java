package io.gradus.bench.cases;

import io.gradus.core.Device;
import java.util.function.Consumer;

/** A group of cases, created one after the other so that only one holds memory at a time. */
public interface Group {

    /** The name for {@code --only}. */
    String name();

    /**
     * Creates each case, passes it to {@code measure}, and frees its tensors.
     *
     * @param device for Gradus; libtorch uses the same number of threads
     */
    void run(Device device, Consumer<Case> measure);
}

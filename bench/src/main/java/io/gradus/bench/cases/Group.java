package io.gradus.bench.cases;

import io.gradus.core.Device;
import java.util.function.Consumer;

/** Some cases, made one after the other so that only one has its memory at a time. */
public interface Group {

    /** What {@code --only} calls it. */
    String name();

    /**
     * Makes each case and hands it to {@code measure}; its tensors are gone afterwards.
     *
     * @param device ours, whose threads libtorch uses as many of
     */
    void run(Device device, Consumer<Case> measure);
}

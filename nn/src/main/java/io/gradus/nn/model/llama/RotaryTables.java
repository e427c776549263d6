package io.gradus.nn.model.llama;

import io.gradus.core.Device;
import io.gradus.nn.model.LanguageModel.Input;
import org.jspecify.annotations.Nullable;

/**
 * The rotary table of a model, with as many positions as were used so far. A context may have a million positions; a run of it
 * usually has a few hundred.
 */
final class RotaryTables {
    private final Device device;
    private final LlamaConfig config;
    private @Nullable RotaryTable table;

    RotaryTables(Device device, LlamaConfig config) {
        this.device = device;
        this.config = config;
    }

    /** A table with the positions of an input. Tables that were returned before remain valid. */
    synchronized RotaryTable covering(Input input) {
        RotaryTable known = table;
        int rows = known == null ? 0 : Math.toIntExact(known.cos().shape().get(0));
        long needed = Math.min(input.positionCount(), config.maxPositionEmbeddings());
        if (known != null && rows >= needed) {
            return known;
        }
        // Twice as many for a text that grows by one token at a time, so that it seldom needs a new one.
        long doubled = needed == rows + 1L ? Math.min(2L * rows, config.maxPositionEmbeddings()) : 0;
        int wanted = (int) Math.max(needed, doubled);
        RotaryTable larger = RotaryTable.of(device, wanted, config.headDim(), config.ropeTheta(), config.ropeScaling());
        table = larger;
        return larger;
    }
}

package io.gradus.nn.model.decoder;

import io.gradus.core.Device;
import io.gradus.nn.model.PretrainedModel.Input;
import org.jspecify.annotations.Nullable;

/**
 * The rotary table of a model, with as many positions as were used so far. A context may have a million positions; a run of it
 * usually has a few hundred.
 */
public final class RotaryTables {
    private final Device device;
    private final Rope rope;
    private final int maxPositions;
    private @Nullable RotaryTable table;
    private @Nullable RotaryTable tableOfLongTexts;

    /** The table of a model with rotary positions and a context length in tokens. */
    public RotaryTables(Device device, Rope rope, int maxPositions) {
        this.device = device;
        this.rope = rope;
        this.maxPositions = maxPositions;
    }

    /** A table with the positions of an input. Tables that were returned before remain valid. */
    public synchronized RotaryTable covering(Input input) {
        long sameUpTo = rope.sameUpTo();
        if (sameUpTo < maxPositions && input.longestText() > sameUpTo) {
            tableOfLongTexts = grown(tableOfLongTexts, input, maxPositions);
            return tableOfLongTexts;
        }
        table = grown(table, input, sameUpTo);
        return table;
    }

    /**
     * A table that covers an input: the known one, or a larger one.
     *
     * @param length of a text that has the frequencies of this table
     */
    private RotaryTable grown(@Nullable RotaryTable known, Input input, long length) {
        int rows = known == null ? 0 : Math.toIntExact(known.cos().shape().get(0));
        long needed = Math.min(input.positionCount(), maxPositions);
        if (known != null && rows >= needed) {
            return known;
        }
        // Twice as many for a text that grows by one token at a time, so that it seldom needs a new one.
        long doubled = needed == rows + 1L ? Math.min(2L * rows, maxPositions) : 0;
        return RotaryTable.of(device, (int) Math.max(needed, doubled), rope, length);
    }
}

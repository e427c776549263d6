package io.gradus.core.cpu;

/**
 * How the rows of A are cut into panels: as many full ones as there are, then what is left. Where up to four rows would be
 * left, the last full panel and they become two of eight: a panel of four waits for memory.
 */
record RowPanels(int full, int rest) {
    private static final int ROWS = MicroKernel.ROWS;

    static RowPanels of(int rows) {
        int full = rows / ROWS;
        int rest = rows % ROWS;
        return ROWS == 12 && full > 0 && rest > 0 && rest <= 4
                ? new RowPanels(full - 1, rest + ROWS)
                : new RowPanels(full, rest);
    }

    int count() {
        return full + (rest == 0 ? 0 : rest > ROWS ? 2 : 1);
    }

    /** The first row of a panel; of {@link #count()}, the number of rows. */
    int start(int panel) {
        return Math.min(full, panel) * ROWS
                + (panel <= full ? 0 : Math.min(rest, (panel - full) * (rest > ROWS ? 8 : ROWS)));
    }

    /** The rows that a panel has room for. */
    int height(int panel) {
        return panel < full ? ROWS : rest > ROWS ? 8 : MicroKernel.height(rest);
    }

    /** Floats of all panels, of one element of k each. */
    int room() {
        int last = count() - 1;
        return last < 0 ? 0 : start(last) + height(last);
    }
}

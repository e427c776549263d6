package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.Workers;

/**
 * Divides rows or columns of a result among threads.
 *
 * @param small multiply-adds below which another thread is not worthwhile
 */
record Lines(Workers workers, long small) {

    /** An action on a range of lines. */
    @FunctionalInterface
    interface Body {
        void run(int from, int to);
    }

    /** Runs lines in parallel unless they are too little work. */
    void forEach(int count, int grain, long workOfLine, Body body) {
        if (count * workOfLine < small) {
            for (int from = 0; from < count; from += grain) {
                body.run(from, Math.min(count, from + grain));
            }
        } else {
            workers.forEach(count, grain, (from, to) -> body.run((int) from, (int) to));
        }
    }

    /** The width of stripes that minimizes the time of the slowest thread; narrow stripes cost slightly more. */
    int stripe(int count, int unit, int most) {
        int best = unit;
        double least = Double.MAX_VALUE;
        for (int width = unit; width <= most; width += unit) {
            int stripes = (count + width - 1) / width;
            int rounds = (stripes - 1) / workers.threads();
            boolean lastAlone = (stripes - 1) % workers.threads() == 0;
            double lines = (double) rounds * width + (lastAlone ? count - (stripes - 1) * width : width);
            double cost = lines * (1 + 8.0 / width);
            if (cost < least) {
                least = cost;
                best = width;
            }
        }
        return best;
    }
}

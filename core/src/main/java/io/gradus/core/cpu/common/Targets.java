package io.gradus.core.cpu.common;

import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;

/** The target class of each row of logits, some of which are ignored. */
public record Targets(MemorySegment classes, int ignoreIndex) {

    /**
     * @param width how many classes there are
     * @throws IllegalArgumentException when a target is neither a class nor ignored
     */
    public static Targets of(Tensor targets, int ignoreIndex, long width) {
        Targets result = new Targets(CpuStorage.of(targets), ignoreIndex);
        for (long row = 0; row < targets.size(); row++) {
            int target = result.of(row);
            if (target != ignoreIndex && (target < 0 || target >= width)) {
                throw new IllegalArgumentException("crossEntropy: the target of row " + row + " is " + target
                        + ", neither one of " + width + " classes nor the ignored " + ignoreIndex
                        + "; does the tokeniser belong to this model (vocab_size)?");
            }
        }
        return result;
    }

    public int of(long row) {
        return CpuStorage.getInt(classes, row);
    }

    public boolean ignores(long row) {
        return of(row) == ignoreIndex;
    }

    /** How many targets are not ignored. */
    public static long count(Tensor targets, int ignoreIndex) {
        Targets all = new Targets(CpuStorage.of(targets), ignoreIndex);
        long count = 0;
        for (long row = 0; row < targets.size(); row++) {
            count += all.ignores(row) ? 0 : 1;
        }
        return count;
    }
}

package io.gradus.core.cpu.common;

import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;

/** The target class of each row of logits. Some targets may be ignored. */
public record Targets(MemorySegment classes, int ignoreIndex) {

    /**
     * @param width the number of classes
     * @throws IllegalArgumentException if a target is neither a class nor ignored
     */
    public static Targets of(Tensor targets, int ignoreIndex, long width) {
        Targets result = new Targets(CpuStorage.of(targets), ignoreIndex);
        for (long row = 0; row < targets.size(); row++) {
            int target = result.of(row);
            if (target != ignoreIndex && (target < 0 || target >= width)) {
                throw new IllegalArgumentException("crossEntropy: the target of row " + row + " is " + target
                        + ", which is neither one of " + width + " classes nor the ignored index " + ignoreIndex
                        + "; check that the tokenizer belongs to this model (vocab_size)");
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

    /** The number of targets that are not ignored. */
    public static long count(Tensor targets, int ignoreIndex) {
        Targets all = new Targets(CpuStorage.of(targets), ignoreIndex);
        long count = 0;
        for (long row = 0; row < targets.size(); row++) {
            count += all.ignores(row) ? 0 : 1;
        }
        return count;
    }
}

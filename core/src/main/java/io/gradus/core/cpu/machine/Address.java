package io.gradus.core.cpu.machine;

import org.jspecify.annotations.Nullable;

/**
 * A place in memory, {@code base + index + displacement}, in bytes.
 *
 * @param index or null; never RSP, whose number means that there is none
 */
record Address(Register base, @Nullable Register index, int displacement) {
    Address {
        if (index == Register.RSP) {
            throw new IllegalArgumentException("RSP cannot be an index");
        }
    }

    static Address of(Register base) {
        return new Address(base, null, 0);
    }

    static Address of(Register base, int displacement) {
        return new Address(base, null, displacement);
    }

    /** Rows of a tile: the first at {@code base}, each {@code stride} bytes after the last. */
    static Address rows(Register base, Register stride, int displacement) {
        return new Address(base, stride, displacement);
    }

    /** The fourth bit of the number of the index: 0 or 1. */
    int indexHigh() {
        return index == null ? 0 : index.high();
    }
}

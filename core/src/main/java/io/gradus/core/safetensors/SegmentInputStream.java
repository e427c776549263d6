package io.gradus.core.safetensors;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The bytes of a segment as a stream, so that a parser can read a mapped header without a copy of it. */
final class SegmentInputStream extends InputStream {
    private final MemorySegment segment;
    private long position;

    SegmentInputStream(MemorySegment segment) {
        this.segment = segment;
    }

    @Override
    public int read() {
        return position == segment.byteSize() ? -1 : segment.get(ValueLayout.JAVA_BYTE, position++) & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        long rest = segment.byteSize() - position;
        if (rest == 0 && length > 0) {
            return -1;
        }
        int count = (int) Math.min(rest, length);
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, position, target, offset, count);
        position += count;
        return count;
    }
}

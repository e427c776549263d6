package io.gradus.core.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;

/** A stream of the bytes of a range of a file. Each read is a system call, so read many bytes at a time. */
final class FileRangeStream extends InputStream {
    private final FileRange range;
    private long position;

    FileRangeStream(FileRange range) {
        this.range = range;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) == -1 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        long rest = range.size() - position;
        if (rest == 0 && length > 0) {
            return -1;
        }
        int count = (int) Math.min(rest, length);
        range.read(position, MemorySegment.ofArray(target).asSlice(offset, count));
        position += count;
        return count;
    }
}

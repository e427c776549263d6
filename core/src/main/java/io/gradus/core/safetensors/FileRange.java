package io.gradus.core.safetensors;

import io.gradus.core.WholeFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Consecutive bytes of an open file, read on request. The file is not mapped into memory, because a program cannot recover from
 * access to a mapped file that another program has shortened. Thread-safe.
 */
public final class FileRange {
    /** Bytes compared, and bytes requested from the operating system, at a time. */
    static final int PIECE = 1 << 20;

    private final Path path;
    private final FileChannel channel;
    private final long start;
    private final long size;

    private FileRange(Path path, FileChannel channel, long start, long size) {
        this.path = path;
        this.channel = channel;
        this.start = start;
        this.size = size;
    }

    /** Opens a file: all of its bytes. */
    static FileRange open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        return new FileRange(path, channel, 0, channel.size());
    }

    /** The file. */
    public Path path() {
        return path;
    }

    /** The number of bytes. */
    public long size() {
        return size;
    }

    /** The bytes from an offset on. */
    public FileRange from(long offset) {
        return slice(offset, size - offset);
    }

    /** A part of this range. */
    public FileRange slice(long offset, long length) {
        if (offset < 0 || length < 0 || offset > size - length) {
            throw new IndexOutOfBoundsException(length + " bytes at " + offset + " of " + size);
        }
        return new FileRange(path, channel, start + offset, length);
    }

    /**
     * Reads as many bytes as the target has.
     *
     * @param offset of the first byte, within this range
     * @throws IOException if the file cannot be read, or has been shortened since it was opened
     * @throws IllegalStateException if the file was closed
     */
    public void read(long offset, MemorySegment target) throws IOException {
        FileRange part = slice(offset, target.byteSize());
        for (long done = 0; done < part.size; ) {
            ByteBuffer piece =
                    target.asSlice(done, Math.min(PIECE, part.size - done)).asByteBuffer();
            done += channelRead(piece, part.start + done);
        }
    }

    private int channelRead(ByteBuffer target, long position) throws IOException {
        int count;
        try {
            count = channel.read(target, position);
        } catch (ClosedByInterruptException e) {
            InterruptedIOException interrupted = new InterruptedIOException(path + ": reading was interrupted");
            interrupted.initCause(e);
            throw interrupted;
        } catch (ClosedChannelException e) {
            throw new IllegalStateException(path + " was closed; read its tensors before that", e);
        } catch (IOException e) {
            throw WholeFile.problem(path, e);
        }
        if (count <= 0) {
            throw new SafetensorsException(
                    path,
                    "it was shortened while it was read: it now ends at " + channel.size() + " bytes; wait until the"
                            + " program that writes it is done, then try again");
        }
        return count;
    }

    /** Whether another range has the same bytes. */
    public boolean hasSameBytes(FileRange other) throws IOException {
        if (size != other.size) {
            return false;
        }
        MemorySegment mine = MemorySegment.ofArray(new byte[(int) Math.min(PIECE, size)]);
        MemorySegment theirs = MemorySegment.ofArray(new byte[(int) mine.byteSize()]);
        for (long from = 0; from < size; from += PIECE) {
            long count = Math.min(PIECE, size - from);
            MemorySegment a = mine.asSlice(0, count);
            MemorySegment b = theirs.asSlice(0, count);
            read(from, a);
            other.read(from, b);
            if (a.mismatch(b) != -1) {
                return false;
            }
        }
        return true;
    }

    /** Closes the file. Further calls do nothing. */
    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": it cannot be closed", e);
        }
    }
}

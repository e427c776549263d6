package io.gradus.data;

import io.gradus.core.safetensors.WriteException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of tokens, each with whether it is a target. A long one is in a temporary file, so that it is limited by the disk
 * and not by the memory. Only its owner can open the file, which is deleted as soon as it is open (on Windows, when the JVM
 * ends). Thread-safe.
 *
 * <p>A token is an {@code int}: its id and, if it is a target, the sign bit.
 */
final class TokenStore {
    private static final int TARGET = Integer.MIN_VALUE;

    private final long size;
    private final int[] inMemory; // empty if there is a file
    private final @Nullable FileChannel file;

    private TokenStore(long size, int[] inMemory, @Nullable FileChannel file) {
        this.size = size;
        this.inMemory = inMemory;
        this.file = file;
    }

    /** A token of an id from 0. */
    static int token(int id, boolean isTarget) {
        return isTarget ? id | TARGET : id;
    }

    static int id(int token) {
        return token & ~TARGET;
    }

    static boolean isTarget(int token) {
        return token < 0;
    }

    /** The number of tokens. */
    long size() {
        return size;
    }

    /**
     * Reads tokens.
     *
     * @throws UncheckedIOException if the temporary file cannot be read, or the thread was interrupted
     */
    int[] read(long from, int count) {
        Objects.checkFromIndexSize(from, count, size);
        if (file == null) {
            return Arrays.copyOfRange(inMemory, (int) from, (int) from + count);
        }
        ByteBuffer bytes = buffer(count);
        try {
            while (bytes.hasRemaining()) {
                if (file.read(bytes, from * Integer.BYTES + bytes.position()) < 0) {
                    throw new EOFException("the temporary file of the tokens became shorter");
                }
            }
        } catch (ClosedChannelException e) {
            throw new UncheckedIOException(
                    new IOException("a thread was interrupted while it read tokens from their temporary file", e));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int[] tokens = new int[count];
        bytes.flip().asIntBuffer().get(tokens);
        return tokens;
    }

    private static ByteBuffer buffer(int tokens) {
        return ByteBuffer.allocate(Math.multiplyExact(tokens, Integer.BYTES)).order(ByteOrder.nativeOrder());
    }

    /** Collects tokens. */
    static final class Builder {
        private static final int USUAL_LIMIT = 1 << 20;

        private final int limit;
        private final Path folder;
        private int[] last; // the tokens that are not in the file
        private int lastSize;
        private long written;
        private Path path; // of the file; of the folder before there is one
        private @Nullable FileChannel file;

        Builder() {
            this(USUAL_LIMIT);
        }

        /**
         * @param limit the number of tokens in memory, above which there is a file
         */
        Builder(int limit) {
            this(limit, Path.of(System.getProperty("java.io.tmpdir")));
        }

        /**
         * @param limit the number of tokens in memory, above which there is a file
         * @param folder of the file
         */
        Builder(int limit, Path folder) {
            this.limit = limit;
            this.folder = folder;
            this.path = folder;
            this.last = new int[Math.min(limit, 1 << 10)];
        }

        /** The number of tokens so far. */
        long size() {
            return written + lastSize;
        }

        /**
         * Adds tokens.
         *
         * @throws IOException if the temporary file cannot be written; the message names it
         */
        void add(TokenizedDocument tokens) throws IOException {
            int[] ids = tokens.ids();
            boolean[] counts = tokens.counts();
            for (int i = 0; i < ids.length; i++) {
                add(ids[i], counts[i]);
            }
        }

        private void add(int id, boolean isTarget) throws IOException {
            if (id < 0) {
                throw new IllegalArgumentException("the tokenizer returned the id " + id + "; ids count from 0");
            }
            if (lastSize == last.length) {
                if (lastSize >= limit) {
                    spill();
                } else {
                    last = Arrays.copyOf(last, Math.min(2 * lastSize, limit));
                }
            }
            last[lastSize++] = token(id, isTarget);
        }

        private void spill() throws IOException {
            FileChannel target = file == null ? create() : file;
            ByteBuffer bytes = buffer(lastSize);
            bytes.asIntBuffer().put(last, 0, lastSize);
            try {
                while (bytes.hasRemaining()) {
                    target.write(bytes);
                }
            } catch (IOException e) {
                throw noRoom(e);
            }
            written += lastSize;
            lastSize = 0;
        }

        private FileChannel create() throws IOException {
            try {
                path = Files.createTempFile(folder, "gradus-tokens-", null); // readable for its owner
                file = FileChannel.open(
                        path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
                return file;
            } catch (IOException e) {
                throw noRoom(e);
            }
        }

        private IOException noRoom(IOException cause) {
            return new IOException(
                    new WriteException(path, cause).getMessage()
                            + "; it is a temporary file for the tokens of the text,"
                            + " 4 bytes each: name a folder with more room, -Djava.io.tmpdir=FOLDER",
                    cause);
        }

        TokenStore build() throws IOException {
            if (file == null) {
                return new TokenStore(lastSize, Arrays.copyOf(last, lastSize), null);
            }
            spill();
            return new TokenStore(written, new int[0], file);
        }
    }
}

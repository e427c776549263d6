package io.gradus.data;

import io.gradus.core.WholeFile;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * Reads a file as UTF-8, a piece at a time, without a byte order mark. Bytes that are not UTF-8 and the character NUL, which
 * text does not have, are errors that name the file, the line and the byte.
 *
 * <p>The file is open only while a piece is read, so a reader need not be closed. Bytes that are appended later are not read.
 */
final class Utf8Reader extends Reader {
    private static final int PIECE = 1 << 16;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final Path file;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder(); // reports malformed bytes
    private final ByteBuffer bytes = ByteBuffer.allocate(PIECE).limit(0);
    private final long end;
    private long decoded; // bytes before the buffer

    /**
     * Reads a file.
     *
     * @throws IOException if it is missing, no file, unreadable, or UTF-16
     */
    Utf8Reader(Path file) throws IOException {
        Documents.requireExists(file);
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + ": it is " + (Files.isDirectory(file) ? "a folder" : "a device or a pipe")
                    + "; name a file, which can be read twice");
        }
        this.file = file;
        this.end = Files.size(file);
        byte[] first = Arrays.copyOf(bytes.array(), read(0, 0, BYTE_ORDER_MARK.length));
        if (Arrays.equals(first, BYTE_ORDER_MARK)) {
            decoded = first.length;
        }
        if (first.length >= 2 && (first[0] == -1 && first[1] == -2 || first[0] == -2 && first[1] == -1)) {
            throw new IOException(file + ":1: it is UTF-16; save it as UTF-8");
        }
    }

    /**
     * Reads a part of a file.
     *
     * @param from the index of the first byte, at which a character begins
     * @param to the index after the last byte
     */
    Utf8Reader(Path file, long from, long to) {
        this.file = file;
        this.decoded = from;
        this.end = to;
    }

    /** The index of the first byte that is not decoded yet. */
    long position() {
        return decoded + bytes.position();
    }

    /** The index after the last byte of the text. */
    long end() {
        return end;
    }

    /** Reads bytes until the buffer is full or the text ends. */
    private void fill() throws IOException {
        decoded += bytes.position();
        bytes.compact();
        int kept = bytes.position();
        long at = decoded + kept;
        int wanted = (int) Math.min(bytes.remaining(), end - at);
        if (read(at, kept, wanted) < wanted) {
            throw new IOException(file + ": it became shorter while it was read; start again");
        }
        for (int i = kept; i < kept + wanted; i++) {
            if (bytes.get(i) == 0) {
                throw new IOException(place(decoded + i) + ": it is not text: the byte at " + (decoded + i)
                        + " is 0, as in binary files and in UTF-16; convert it to UTF-8, or leave it out");
            }
        }
        bytes.position(kept + wanted).flip();
    }

    /** Reads bytes of the file into the buffer, and returns their number, less than {@code count} at the end of the file. */
    private int read(long at, int index, int count) throws IOException {
        try (InputStream input = Files.newInputStream(file)) {
            input.skipNBytes(at);
            return input.readNBytes(bytes.array(), index, count);
        } catch (EOFException e) {
            return 0;
        } catch (IOException e) {
            throw WholeFile.problem(file, e);
        }
    }

    @Override
    public int read(char[] target, int from, int length) throws IOException {
        CharBuffer chars = CharBuffer.wrap(target, from, Objects.checkIndex(length, target.length - from + 1));
        while (true) {
            boolean atEnd = decoded + bytes.limit() == end;
            CoderResult result = decoder.decode(bytes, chars, atEnd);
            if (result.isMalformed()) {
                long byteAt = position();
                throw new IOException(place(byteAt)
                        + String.format(
                                Locale.ROOT,
                                ": it is not UTF-8: byte 0x%02X at %d; convert it, or leave it out",
                                bytes.get(bytes.position()),
                                byteAt));
            }
            if (chars.position() > from || result.isOverflow()) {
                return chars.position() - from;
            }
            if (atEnd) {
                return -1;
            }
            fill();
        }
    }

    /** The file and the line of a byte. */
    private String place(long byteAt) throws IOException {
        try (InputStream again = new BufferedInputStream(Files.newInputStream(file))) {
            long line = 1;
            int last = 0;
            for (long i = 0; i < byteAt; i++) {
                int next = again.read();
                line += next == '\r' || next == '\n' && last != '\r' ? 1 : 0;
                last = next;
            }
            return file + ":" + line;
        }
    }

    @Override
    public void close() {
        // The file is not open.
    }
}

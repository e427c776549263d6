package io.gradus.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * Reads a file as UTF-8, a piece at a time, without a byte order mark. Bytes that are not UTF-8 and the character NUL, which
 * text does not have, are errors that name the file, the line and the byte.
 */
final class Utf8Reader extends Reader {
    private static final int PIECE = 1 << 16;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final Path file;
    private final InputStream input;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder(); // reports malformed bytes
    private final ByteBuffer bytes = ByteBuffer.allocate(PIECE).limit(0);
    private long decoded; // bytes before the buffer
    private boolean atEnd;

    /**
     * Opens a file.
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
        try {
            input = new BufferedInputStream(Files.newInputStream(file));
        } catch (AccessDeniedException e) {
            throw new IOException(file + ": it cannot be opened: permission denied", e);
        }
        input.mark(BYTE_ORDER_MARK.length);
        byte[] first = input.readNBytes(BYTE_ORDER_MARK.length);
        if (Arrays.equals(first, BYTE_ORDER_MARK)) {
            decoded = first.length;
        } else {
            input.reset();
        }
        if (first.length >= 2 && (first[0] == -1 && first[1] == -2 || first[0] == -2 && first[1] == -1)) {
            input.close();
            throw new IOException(file + ":1: it is UTF-16; save it as UTF-8");
        }
    }

    /** Reads bytes until the buffer is full or the file ends. */
    private void fill() throws IOException {
        decoded += bytes.position();
        bytes.compact();
        while (bytes.hasRemaining() && !atEnd) {
            int from = bytes.position();
            int count = input.read(bytes.array(), from, bytes.remaining());
            atEnd = count < 0;
            for (int i = from; i < from + count; i++) {
                if (bytes.get(i) == 0) {
                    throw new IOException(place(decoded + i) + ": it is not text: the byte at " + (decoded + i)
                            + " is 0, as in binary files and in UTF-16; convert it to UTF-8, or leave it out");
                }
            }
            bytes.position(from + Math.max(0, count));
        }
        bytes.flip();
    }

    @Override
    public int read(char[] target, int from, int length) throws IOException {
        CharBuffer chars = CharBuffer.wrap(target, from, Objects.checkIndex(length, target.length - from + 1));
        while (true) {
            CoderResult result = decoder.decode(bytes, chars, atEnd);
            if (result.isMalformed()) {
                long byteAt = decoded + bytes.position();
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
    public void close() throws IOException {
        input.close();
    }
}

package io.gradus.train.export;

import io.gradus.core.safetensors.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files, version 3 of the format: a header with the metadata and the descriptions of all tensors, then their elements,
 * each tensor at a multiple of 32 bytes. All numbers are little-endian. Files are replaced atomically ({@link AtomicFile}).
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the format</a>
 */
final class GgufWriter {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    private final ByteArrayOutputStream header = new ByteArrayOutputStream();

    private GgufWriter() {}

    /** Writes a file. */
    static void write(Path file, Map<String, GgufValue> metadata, List<GgufTensor> tensors) throws IOException {
        byte[] header = new GgufWriter().header(metadata, tensors);
        AtomicFile.write(file, channel -> {
            write(channel, ByteBuffer.wrap(header));
            for (GgufTensor tensor : tensors) {
                pad(channel);
                tensor.write(channel);
            }
            pad(channel);
        });
    }

    private static void pad(FileChannel channel) throws IOException {
        write(channel, ByteBuffer.allocate(padding(channel.position())));
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The number of bytes up to the next multiple of the alignment. */
    private static int padding(long position) {
        return (int) Math.floorMod(-position, (long) ALIGNMENT);
    }

    private byte[] header(Map<String, GgufValue> metadata, List<GgufTensor> tensors) {
        header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        number(VERSION);
        longNumber(tensors.size());
        longNumber(metadata.size());
        metadata.forEach((key, value) -> {
            text(key);
            number(value.code());
            value(value);
        });
        long offset = 0;
        for (GgufTensor tensor : tensors) {
            description(tensor, offset);
            offset += tensor.byteSize();
            offset += padding(offset);
        }
        return header.toByteArray();
    }

    /** The name, the lengths of the axes, the fastest one first, the type, and the place after the header. */
    private void description(GgufTensor tensor, long offset) {
        text(tensor.name());
        number(tensor.shape().rank());
        for (int axis = tensor.shape().rank() - 1; axis >= 0; axis--) {
            longNumber(tensor.shape().get(axis));
        }
        number(tensor.type().code());
        longNumber(offset);
    }

    private void value(GgufValue value) {
        switch (value) {
            case GgufValue.Unsigned unsigned -> number(unsigned.value());
            case GgufValue.Real real -> number(Float.floatToIntBits(real.value()));
            case GgufValue.Flag flag -> header.write(flag.value() ? 1 : 0);
            case GgufValue.Text text -> text(text.value());
            case GgufValue.Array array -> {
                number(array.elementCode());
                longNumber(array.size());
                elements(array);
            }
        }
    }

    private void elements(GgufValue.Array array) {
        switch (array) {
            case GgufValue.Integers integers -> integers.values().forEach(this::number);
            case GgufValue.Reals reals -> reals.values().forEach(real -> number(Float.floatToIntBits(real)));
            case GgufValue.Flags flags -> flags.values().forEach(flag -> header.write(flag ? 1 : 0));
            case GgufValue.Texts texts -> texts.values().forEach(this::text);
        }
    }

    private void number(int number) {
        header.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(number)
                .array());
    }

    private void longNumber(long number) {
        header.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(number)
                .array());
    }

    private void text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        longNumber(bytes.length);
        header.writeBytes(bytes);
    }
}

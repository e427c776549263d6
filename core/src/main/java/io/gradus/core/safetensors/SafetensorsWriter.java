package io.gradus.core.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gradus.core.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes safetensors files, with only a few elements at a time in host memory. Files are replaced atomically
 * ({@link AtomicFile}). Equal tensors, order and metadata give equal bytes.
 */
public final class SafetensorsWriter {

    private SafetensorsWriter() {}

    /**
     * Writes one file.
     *
     * @param tensors in the order in which the header lists them
     * @param metadata free-form strings; transformers expects {@code format=pt}
     * @throws IllegalArgumentException if a name is not allowed or occurs twice; nothing is written
     * @throws IllegalStateException if a supplier returns a tensor of another shape or of a dtype that cannot be converted
     * @throws SafetensorsException if a value is out of the range of the dtype in the file
     * @throws IOException if writing fails; in each case an existing file is unchanged
     */
    public static void write(Path file, List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
        checkNames(tensors);
        List<NamedTensor> laidOut = layOut(tensors);
        byte[] header = header(tensors, laidOut, metadata);
        AtomicFile.write(file, channel -> {
            writeFully(channel, ByteBuffer.wrap(header));
            for (NamedTensor tensor : laidOut) {
                Elements.write(file, tensor.name(), elements(tensor), tensor.dtype(), channel);
            }
        });
    }

    /**
     * Writes a checkpoint to a folder: {@code model.safetensors} if it fits in one shard, otherwise
     * {@code model-00001-of-0000N.safetensors} and so on with {@code model.safetensors.index.json}. An existing checkpoint is
     * replaced atomically at the end.
     *
     * @param tensors in order; consecutive tensors share a shard
     * @param metadata as for {@link #write}, for every shard
     * @param maxShardBytes the most bytes of elements in a shard, unless one tensor alone has more; at least 1
     * @throws IllegalArgumentException if a name is not allowed or occurs twice; nothing is written
     * @throws IllegalStateException if a supplier returns a tensor of another shape or of a dtype that cannot be converted
     * @throws SafetensorsException if a value is out of the range of the dtype in the file
     * @throws IOException if writing fails; in each case an existing checkpoint is unchanged
     */
    public static void writeCheckpoint(
            Path folder, List<NamedTensor> tensors, Map<String, String> metadata, long maxShardBytes)
            throws IOException {
        checkNames(tensors);
        ShardedWriter.write(folder, tensors, metadata, maxShardBytes);
    }

    private static void checkNames(List<NamedTensor> tensors) {
        Set<String> seen = new HashSet<>();
        for (NamedTensor tensor : tensors) {
            String name = tensor.name();
            if (name.equals(Header.METADATA)
                    || !StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
                throw new IllegalArgumentException("safetensors: a tensor cannot be called '" + name + "'");
            }
            if (!seen.add(name)) {
                throw new IllegalArgumentException(
                        "safetensors: two tensors are called '" + name + "'; write a shared weight once");
            }
        }
    }

    /**
     * The tensors with the widest elements first, otherwise in the given order. The format allows no padding, and readers that map
     * a file need each element at a multiple of its size.
     */
    private static List<NamedTensor> layOut(List<NamedTensor> tensors) {
        List<NamedTensor> laidOut = new ArrayList<>(tensors);
        laidOut.sort(
                Comparator.comparingInt((NamedTensor tensor) -> -tensor.dtype().bytes()));
        return laidOut;
    }

    /** The header after its length, padded with spaces so that the elements begin at a multiple of eight. */
    private static byte[] header(List<NamedTensor> tensors, List<NamedTensor> laidOut, Map<String, String> metadata)
            throws IOException {
        Map<String, Long> begins = new HashMap<>();
        long position = 0;
        for (NamedTensor tensor : laidOut) {
            begins.put(tensor.name(), position);
            position = Math.addExact(position, tensor.byteSize());
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[Header.LENGTH_BYTES]);
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(Header.METADATA);
                for (Map.Entry<String, String> string : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(string.getKey(), string.getValue());
                }
                json.writeEndObject();
            }
            for (NamedTensor tensor : tensors) {
                long begin = begins.getOrDefault(tensor.name(), 0L);
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.dtype().name());
                json.writeFieldName("shape");
                json.writeArray(tensor.shape().toArray(), 0, tensor.shape().rank());
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {begin, begin + tensor.byteSize()}, 0, 2);
                json.writeEndObject();
            }
            json.writeEndObject();
        }
        while (bytes.size() % 8 != 0) {
            bytes.write(' ');
        }
        int length = bytes.size() - Header.LENGTH_BYTES;
        if (length > Header.MAX_BYTES) {
            throw new IllegalArgumentException("safetensors: the header would have " + length
                    + " bytes, above the format's limit of " + Header.MAX_BYTES + "; write several files");
        }
        byte[] header = bytes.toByteArray();
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return header;
    }

    private static Tensor elements(NamedTensor told) {
        Tensor tensor = told.tensor().get();
        if (!tensor.shape().equals(told.shape()) || !Elements.convertible(tensor.dtype(), told.dtype())) {
            throw new IllegalStateException("tensor '" + told.name() + "' was announced as " + told.dtype() + " "
                    + told.shape() + " and is " + tensor.dtype() + " " + tensor.shape());
        }
        return tensor;
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}

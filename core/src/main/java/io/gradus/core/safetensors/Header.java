package io.gradus.core.safetensors;

import io.gradus.core.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file. It is accepted only if it accounts for every byte: in the order of their offsets, the
 * tensors must follow each other without overlaps or holes from the end of the header to the end of the file, and each must
 * have the size that its shape and dtype require.
 *
 * @param entries by name, in the order of the header
 * @param metadata the free-form strings under {@code __metadata__}
 * @param dataStart the start of the elements, in bytes from the start of the file
 */
record Header(Map<String, Entry> entries, Map<String, String> metadata, long dataStart) {
    /** The key for metadata strings among the tensor names. */
    static final String METADATA = "__metadata__";

    /** The format's limit for the header, in bytes. */
    static final long MAX_BYTES = 100_000_000;

    /** Bytes of the header's length, a little-endian integer at the start of the file. */
    static final int LENGTH_BYTES = 8;

    /** The largest accepted number of axes. */
    private static final int MAX_RANK = 64;

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Reads and checks the header of a file.
     *
     * @throws SafetensorsException if the file violates the format
     */
    static Header read(Path file, FileRange bytes) throws IOException {
        FileRange json = json(file, bytes);
        long dataStart = LENGTH_BYTES + json.size();
        long dataLength = bytes.size() - dataStart;
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        StrictJson.readObject(file, "header", new FileRangeStream(json), (reader, name) -> {
            if (name.equals(METADATA)) {
                reader.object(METADATA, (strings, key) -> {
                    metadata.put(key, strings.string("the value of " + StrictJson.shorten(key) + " in " + METADATA));
                });
            } else {
                entries.put(name, entry(file, reader, name, dataLength));
            }
        });
        checkLayout(file, entries.values().stream().toList(), dataLength);
        return new Header(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata), dataStart);
    }

    /** The bytes of the JSON text, after checking its length. */
    private static FileRange json(Path file, FileRange bytes) throws IOException {
        if (bytes.size() < LENGTH_BYTES) {
            throw SafetensorsException.damaged(
                    file,
                    "it has " + bytes.size() + " bytes, fewer than the 8 that every safetensors file begins with");
        }
        SafetensorsException.requireNoPointer(file, new FileRangeStream(bytes));
        long length = MemorySegment.ofArray(read(bytes, 0, LENGTH_BYTES)).get(LENGTH, 0);
        if (length < 0 || length > bytes.size() - LENGTH_BYTES) {
            throw SafetensorsException.damaged(
                    file,
                    "its first 8 bytes claim a header of " + Long.toUnsignedString(length)
                            + " bytes, longer than the file of " + bytes.size());
        }
        if (length > MAX_BYTES) {
            throw SafetensorsException.damaged(
                    file, "the header has " + length + " bytes, above the format's limit of " + MAX_BYTES);
        }
        if (length == 0 || read(bytes, LENGTH_BYTES, 1)[0] != '{') {
            throw SafetensorsException.damaged(
                    file, "the header does not begin with '{', so this is not a safetensors file");
        }
        return bytes.slice(LENGTH_BYTES, length);
    }

    private static byte[] read(FileRange bytes, long offset, int length) throws IOException {
        byte[] target = new byte[length];
        bytes.read(offset, MemorySegment.ofArray(target));
        return target;
    }

    /** The fields of one tensor. All are required, and no others are allowed. */
    private static final class Fields {
        String dtype = "";
        long[] shape = {};
        long[] offsets = {};
        int found;
    }

    private static Entry entry(Path file, StrictJson json, String name, long dataLength) throws IOException {
        String where = "tensor '" + StrictJson.shorten(name) + "'";
        Fields fields = new Fields();
        json.object(where, (members, field) -> {
            String place = where + ": " + field;
            switch (field) {
                case "dtype" -> fields.dtype = members.string(place);
                case "shape" -> fields.shape = counts(file, members, place, MAX_RANK);
                case "data_offsets" -> fields.offsets = counts(file, members, place, 2);
                default ->
                    throw SafetensorsException.damaged(
                            file, where + " has the unknown field '" + StrictJson.shorten(field) + "'");
            }
            fields.found++;
        });
        if (fields.found != 3 || fields.offsets.length != 2) {
            throw SafetensorsException.damaged(file, where + " needs a dtype, a shape and two data_offsets");
        }
        return checked(file, where, name, fields, dataLength);
    }

    private static long[] counts(Path file, StrictJson json, String where, int most) throws IOException {
        List<Long> counts = new ArrayList<>();
        json.array(where, elements -> {
            if (counts.size() == most) {
                throw SafetensorsException.damaged(file, where + " has more than " + most + " numbers");
            }
            counts.add(elements.count(where));
        });
        return counts.stream().mapToLong(Long::longValue).toArray();
    }

    /** Checks one tensor by itself. */
    private static Entry checked(Path file, String where, String name, Fields fields, long dataLength)
            throws SafetensorsException {
        StoredType type = StoredType.named(fields.dtype);
        if (type == null) {
            throw new SafetensorsException(
                    file,
                    where + " has the unknown dtype '" + StrictJson.shorten(fields.dtype) + "'; save it in one of "
                            + StoredType.readable());
        }
        long begin = fields.offsets[0];
        long end = fields.offsets[1];
        if (begin > end) {
            throw SafetensorsException.damaged(file, where + " begins at " + begin + ", after its end at " + end);
        }
        if (end > dataLength) {
            throw SafetensorsException.damaged(
                    file, where + " ends at " + end + ", past the " + dataLength + " bytes that follow the header");
        }
        Shape shape = shape(file, where, fields.shape);
        // Dividing the bytes in the file cannot overflow, unlike multiplying the shape by the element size.
        long elements = shape.size();
        boolean fits = elements <= Long.MAX_VALUE / type.bits() && elements * type.bits() == (end - begin) * 8;
        if (!fits) {
            throw SafetensorsException.damaged(
                    file,
                    where + " has " + (end - begin) + " bytes, which is not what " + type + " " + shape + " takes");
        }
        return new Entry(name, fields.dtype, shape, begin, end);
    }

    private static Shape shape(Path file, String where, long[] lengths) throws SafetensorsException {
        try {
            return Shape.of(lengths);
        } catch (IllegalArgumentException e) {
            throw SafetensorsException.damaged(
                    file, where + " has the shape " + Arrays.toString(lengths) + ", more elements than can be counted");
        }
    }

    private static void checkLayout(Path file, List<Entry> entries, long dataLength) throws SafetensorsException {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long position = 0;
        for (Entry entry : ordered) {
            if (entry.begin() != position) {
                String problem = entry.begin() < position
                        ? "overlaps the tensor before it, which ends at "
                        : "leaves a hole after the tensor before it, which ends at ";
                throw SafetensorsException.damaged(
                        file,
                        "tensor '" + StrictJson.shorten(entry.name()) + "' begins at " + entry.begin() + " and "
                                + problem + position);
            }
            position = entry.end();
        }
        if (position != dataLength) {
            throw SafetensorsException.damaged(
                    file, "the tensors end at " + position + ", but " + dataLength + " bytes follow the header");
        }
    }
}

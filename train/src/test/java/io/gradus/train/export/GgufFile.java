package io.gradus.train.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file, read as its specification says.
 *
 * @param keys the metadata, with the numbers of the types in front of each value
 */
record GgufFile(Map<String, Value> keys, Map<String, Tensor> tensors) {

    /**
     * A value.
     *
     * @param types the type, and of a list also that of its elements
     */
    record Value(List<String> types, Object value) {}

    /**
     * A tensor.
     *
     * @param shape the fastest axis first
     */
    record Tensor(String type, List<Long> shape, byte[] bytes) {}

    private static final List<String> VALUE_TYPES = List.of(
            "UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "FLOAT32", "BOOL", "STRING", "ARRAY", "UINT64");

    private static final Map<Integer, String> ELEMENT_TYPES = Map.of(0, "F32", 1, "F16", 8, "Q8_0", 30, "BF16");

    static GgufFile read(Path file) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        require(in.getInt() == 0x46554747 && in.getInt() == 3, "not GGUF 3");
        long tensorCount = in.getLong();
        long keyCount = in.getLong();
        Map<String, Value> keys = new LinkedHashMap<>();
        for (long i = 0; i < keyCount; i++) {
            String key = text(in);
            require(keys.put(key, value(in)) == null, key + " occurs twice");
        }
        record Place(String name, List<Long> shape, int type, long offset) {}
        List<Place> places = new ArrayList<>();
        for (long i = 0; i < tensorCount; i++) {
            String name = text(in);
            List<Long> shape = new ArrayList<>();
            for (int axes = in.getInt(); axes > 0; axes--) {
                shape.add(in.getLong());
            }
            places.add(new Place(name, shape, in.getInt(), in.getLong()));
        }
        int start = (in.position() + 31) / 32 * 32;
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Place place : places) {
            require(place.offset % 32 == 0, place.name + " is at " + place.offset);
            long elements = place.shape.stream().reduce(1L, (a, b) -> a * b);
            int bytes = (int) (place.type == 8 ? elements / 32 * 34 : elements * (place.type == 0 ? 4 : 2));
            byte[] content = new byte[bytes];
            in.get(start + (int) place.offset, content);
            tensors.put(place.name, new Tensor(ELEMENT_TYPES.get(place.type), place.shape, content));
        }
        require(in.capacity() % 32 == 0, "the end is not padded");
        return new GgufFile(keys, tensors);
    }

    private static Value value(ByteBuffer in) {
        int type = in.getInt();
        if (type != 9) {
            return new Value(List.of(VALUE_TYPES.get(type)), scalar(in, type));
        }
        int elementType = in.getInt();
        List<Object> values = new ArrayList<>();
        for (long count = in.getLong(); count > 0; count--) {
            values.add(scalar(in, elementType));
        }
        return new Value(List.of("ARRAY", VALUE_TYPES.get(elementType)), values);
    }

    private static Object scalar(ByteBuffer in, int type) {
        return switch (type) {
            case 4, 5 -> in.getInt();
            case 6 -> in.getFloat();
            case 7 -> in.get() == 1;
            case 8 -> text(in);
            default -> throw new AssertionError("type " + type);
        };
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[(int) in.getLong()];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new AssertionError(problem);
        }
    }
}

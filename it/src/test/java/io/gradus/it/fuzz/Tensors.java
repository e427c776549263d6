package io.gradus.it.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** Changes of safetensors files: of their header, of the length in front of it, or of their bytes. */
final class Tensors {
    private static final List<String> VALUES = List.of(
            "\"F32\"",
            "\"F16\"",
            "\"BF16\"",
            "\"F64\"",
            "\"I32\"",
            "\"I64\"",
            "\"U8\"",
            "\"BOOL\"",
            "\"F8_E4M3\"",
            "\"F4\"",
            "\"f32\"",
            "[0,4]",
            "[4,0]",
            "[0,0]",
            "[8,16]",
            "[0,9223372036854775807]",
            "[-8,8]",
            "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}",
            "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}",
            "{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
            "{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}",
            "{\"dtype\":\"F32\",\"shape\":[2147483648,2147483648,4],\"data_offsets\":[0,0]}",
            "{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}");
    private static final List<String> TOKENS = List.of(
            "\"__metadata__\":{\"a\":\"b\"},", "\"data_offsets\"", "\"shape\":[", "{\"", "}}", "\"dtype\":\"F32\",");

    private Tensors() {}

    static byte[] mutate(byte[] file, RandomGenerator random) {
        if (random.nextInt(3) == 0) {
            return Bytes.mutate(file, TOKENS, random);
        }
        int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt();
        JsonNode header = Json.parse(new String(file, 8, length, StandardCharsets.UTF_8));
        String changed = Json.mutate(header, VALUES, random);
        byte[] data = Arrays.copyOfRange(file, 8 + length, file.length);
        data = switch (random.nextInt(8)) {
            case 0 -> Arrays.copyOf(data, random.nextInt(data.length + 1));
            case 1 -> Arrays.copyOf(data, data.length + 1 + random.nextInt(64));
            default -> data;
        };
        return join(changed, data);
    }

    /** Replaces a value of the metadata. */
    static byte[] editMetadata(byte[] file, String key, UnaryOperator<String> change) {
        int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt();
        JsonNode header = Json.parse(new String(file, 8, length, StandardCharsets.UTF_8));
        ObjectNode metadata = (ObjectNode) header.get("__metadata__");
        metadata.put(key, change.apply(metadata.get(key).textValue()));
        return join(header.toString(), Arrays.copyOfRange(file, 8 + length, file.length));
    }

    private static byte[] join(String header, byte[] data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .put(data)
                .array();
    }
}

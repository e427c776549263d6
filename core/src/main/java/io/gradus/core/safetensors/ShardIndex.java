package io.gradus.core.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The file {@code model.safetensors.index.json}, which maps each tensor to a shard in the same folder.
 *
 * @param shards the shard's file name by tensor name, in the order of the file
 */
record ShardIndex(Map<String, String> shards) {
    /** The limit for an index: about half a million names. */
    private static final long MAX_BYTES = 100_000_000;

    /**
     * Reads and checks an index.
     *
     * @throws SafetensorsException if it violates the format or names a file outside its folder
     */
    static ShardIndex read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw SafetensorsException.damaged(
                    file, "it has " + Files.size(file) + " bytes, above the limit of " + MAX_BYTES + " for an index");
        }
        try (InputStream input = Files.newInputStream(file)) {
            SafetensorsException.requireNoPointer(file, input);
        }
        Map<String, String> shards = new LinkedHashMap<>();
        try (InputStream input = Files.newInputStream(file)) {
            StrictJson.readObject(file, "index", input, (json, member) -> {
                if (member.equals("weight_map")) {
                    json.object("weight_map", (names, name) -> {
                        String where = "the shard of '" + StrictJson.shorten(name) + "'";
                        shards.put(name, checked(file, where, names.string(where)));
                    });
                } else {
                    json.skip();
                }
            });
        }
        if (shards.isEmpty()) {
            throw SafetensorsException.damaged(file, "its weight_map is missing or empty");
        }
        return new ShardIndex(shards);
    }

    /**
     * A shard must be a plain file name. Only the name is checked, not the target of a symbolic link: download caches store shards
     * elsewhere and link to them.
     */
    private static String checked(Path file, String where, String shard) throws SafetensorsException {
        boolean plain = shard.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
        if (!plain || shard.length() > 255) {
            throw new SafetensorsException(
                    file,
                    where + " is '" + StrictJson.shorten(shard)
                            + "', which is not a plain file name; shards must be in the folder of the index");
        }
        if (!shard.endsWith(".safetensors")) {
            throw new SafetensorsException(
                    file, where + " is '" + shard + "', which is not a .safetensors file; " + OtherFormat.CONVERT);
        }
        return shard;
    }

    /**
     * The index as text, with sorted names.
     *
     * @param totalBytes the bytes of all elements in all shards
     */
    byte[] toJson(long totalBytes) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));
            json.writeStartObject();
            json.writeObjectFieldStart("metadata");
            json.writeNumberField("total_size", totalBytes);
            json.writeEndObject();
            json.writeObjectFieldStart("weight_map");
            for (Map.Entry<String, String> shard : new TreeMap<>(shards).entrySet()) {
                json.writeStringField(shard.getKey(), shard.getValue());
            }
            json.writeEndObject();
            json.writeEndObject();
        }
        bytes.writeBytes("\n".getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }
}

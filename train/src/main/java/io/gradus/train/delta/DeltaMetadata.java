package io.gradus.train.delta;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.json.JsonProblem;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The metadata in the header of a delta's file: strings, and JSON for its tensors. */
final class DeltaMetadata {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FORMAT = "gradus-delta";
    private static final String VERSION = "1";

    /** The longest accepted name; real ones have fewer than 200 characters. */
    private static final int MAX_NAME = 500;

    /** Indices are I32, read as unsigned. */
    private static final long MOST_ELEMENTS = 1L << 32;

    private DeltaMetadata() {}

    static Map<String, String> of(Delta delta) {
        ArrayNode tensors = JSON.createArrayNode();
        delta.tensors().forEach(tensor -> tensors.add(json(tensor)));
        ObjectNode files = JSON.createObjectNode();
        delta.files().forEach(file -> files.put(file.name(), file.base64()));
        return Map.of(
                "format", FORMAT,
                "format_version", VERSION,
                "dtype", delta.dtypes(),
                "base.name", delta.base().name(),
                "base.sha256", delta.base().sha256(),
                "tuned.name", delta.tuned().name(),
                "tuned.sha256", delta.tuned().sha256(),
                "tensors", tensors.toString(),
                "left_out", JSON.valueToTree(delta.leftOut()).toString(),
                "files", files.toString());
    }

    private static ObjectNode json(TensorDelta tensor) {
        Change change = tensor.change();
        ObjectNode json = JSON.createObjectNode()
                .put("name", tensor.name())
                .put("from", tensor.from())
                .put("dtype", tensor.dtype().name())
                .put("base_dtype", tensor.baseDtype().name());
        json.set("shape", JSON.valueToTree(tensor.shape().toArray()));
        return json.put("sha256", tensor.sha256())
                .put("base_sha256", tensor.baseSha256())
                .put("changed", change.changed())
                .put("changed_bf16", change.changedBf16())
                .put("squares", change.squares())
                .put("base_squares", change.baseSquares())
                .put("largest", change.largest())
                .put("corrections", tensor.corrections())
                .put("inexpressible", tensor.inexpressible());
    }

    static Delta read(SafetensorsFile file) throws IOException {
        Path path = file.path();
        Map<String, String> strings = file.metadata();
        if (!FORMAT.equals(strings.get("format"))) {
            throw new IOException(path + ": it is not a delta; make one with ./gradus delta diff BASE TUNED -o FILE");
        }
        if (!VERSION.equals(strings.get("format_version"))) {
            throw new IOException(path + ": it is a delta of version "
                    + JsonProblem.brief(strings.getOrDefault("format_version", "unknown"))
                    + ", and this program reads version " + VERSION + "; use a later version of Gradus");
        }
        try {
            List<TensorDelta> tensors = new ArrayList<>();
            for (JsonNode json : JSON.readTree(strings.getOrDefault("tensors", ""))) {
                tensors.add(tensor(json));
            }
            List<String> leftOut = new ArrayList<>();
            JSON.readTree(strings.getOrDefault("left_out", "[]")).forEach(name -> leftOut.add(name.asText()));
            List<DeltaFile> files = new ArrayList<>();
            for (Map.Entry<String, JsonNode> entry :
                    JSON.readTree(strings.getOrDefault("files", "{}")).properties()) {
                JsonNode content = entry.getValue();
                files.add(new DeltaFile(entry.getKey(), content.isNull() ? null : content.asText()));
            }
            check(file, tensors);
            return new Delta(path, origin(strings, "base"), origin(strings, "tuned"), tensors, leftOut, files);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new IOException(
                    path + ": its metadata is damaged (" + firstLine(e) + "); make it again with ./gradus delta diff",
                    e);
        }
    }

    private static String firstLine(Exception e) {
        return e instanceof JacksonException json
                ? JsonProblem.of(json)
                : JsonProblem.brief(
                        String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }

    private static Delta.Origin origin(Map<String, String> strings, String which) {
        String sha256 = strings.get(which + ".sha256");
        if (sha256 == null) {
            throw new IllegalArgumentException("it does not name the " + which + " model");
        }
        String name = strings.getOrDefault(which + ".name", "");
        requireName(name);
        requireName(sha256);
        return new Delta.Origin(name, sha256);
    }

    private static TensorDelta tensor(JsonNode json) {
        List<Long> lengths = new ArrayList<>();
        json.required("shape").forEach(length -> lengths.add(length.longValue()));
        Shape shape = Shape.of(lengths.stream().mapToLong(Long::longValue).toArray());
        Change change = new Change(
                shape.size(),
                json.required("changed").longValue(),
                json.required("changed_bf16").longValue(),
                finite(json, "squares"),
                finite(json, "base_squares"),
                finite(json, "largest"));
        return new TensorDelta(
                json.required("name").asText(),
                json.required("from").asText(),
                dtype(json.required("dtype")),
                dtype(json.required("base_dtype")),
                shape,
                json.required("sha256").asText(),
                json.required("base_sha256").asText(),
                change,
                json.required("corrections").longValue(),
                json.required("inexpressible").longValue());
    }

    private static double finite(JsonNode json, String key) {
        double value = json.required(key).doubleValue();
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(key + " is " + value);
        }
        return value;
    }

    private static DType dtype(JsonNode json) {
        return switch (json.asText()) {
            case "F32" -> DType.F32;
            case "BF16" -> DType.BF16;
            case "F16" -> DType.F16;
            default ->
                throw new IllegalArgumentException(JsonProblem.brief(json.asText()) + " is not a dtype of a delta");
        };
    }

    /** The metadata must account for every tensor of the file. */
    private static void check(SafetensorsFile file, List<TensorDelta> tensors) throws IOException {
        Set<String> expected = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (TensorDelta tensor : tensors) {
            String name = tensor.name();
            requireName(name);
            requireName(tensor.from());
            if (!names.add(name)) {
                throw new IllegalArgumentException("two tensors are called '" + name + "'");
            }
            if (tensor.isStored()) {
                expect(file, expected, name, tensor.dtype(), tensor.shape());
            }
            if (tensor.corrections() != 0) {
                Shape corrections = Shape.of(corrections(tensor));
                expect(file, expected, name + TensorDelta.CORRECTED_AT, DType.I32, corrections);
                expect(file, expected, name + TensorDelta.CORRECTED_TO, tensor.dtype(), corrections);
            }
        }
        if (expected.size() != file.names().size()) {
            throw new IllegalArgumentException("it lists " + expected.size() + " tensors and the file has "
                    + file.names().size());
        }
    }

    private static void requireName(String name) {
        if (name.equals("__metadata__")
                || name.length() > MAX_NAME
                || !StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException(
                    "a tensor or a model cannot be called '" + JsonProblem.brief(name) + "'");
        }
    }

    private static void expect(SafetensorsFile file, Set<String> expected, String name, DType dtype, Shape shape)
            throws IOException {
        if (!file.contains(name)) {
            throw new IllegalArgumentException("the tensor '" + name + "' is missing");
        }
        Entry entry = file.entry(name);
        if (!entry.dtype().equals(dtype.name()) || !entry.shape().equals(shape)) {
            throw new IllegalArgumentException("the tensor '" + name + "' is " + entry.dtype() + " " + entry.shape()
                    + " and should be " + dtype + " " + shape);
        }
        expected.add(name);
    }

    /**
     * The number of corrections of a tensor, as an int.
     *
     * @throws IllegalArgumentException if there are too many for a list, or the tensor is too long for an index
     */
    static int corrections(TensorDelta tensor) {
        if (tensor.corrections() < 0
                || tensor.corrections() > tensor.shape().size()
                || tensor.corrections() > Integer.MAX_VALUE / 4
                || tensor.shape().size() > MOST_ELEMENTS) {
            throw new IllegalArgumentException("delta: tensor '" + tensor.name() + "' " + tensor.shape() + " needs "
                    + tensor.corrections() + " corrections, which do not fit: are the two models unrelated?");
        }
        return (int) tensor.corrections();
    }
}

package io.gradus.nn.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Losses;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** A file of {@code src/test/fixtures/configs}; {@code generate.py} there says what it holds. */
final class ConfigFixture {
    private static final Path FOLDER = Path.of("src/test/fixtures/configs");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String REMOVED = "(removed)";

    private final JsonNode json;

    private ConfigFixture(JsonNode json) {
        this.json = json;
    }

    static ConfigFixture of(String family) throws IOException {
        return read(FOLDER.resolve(family + ".json"));
    }

    static ConfigFixture read(Path file) throws IOException {
        return new ConfigFixture(JSON.readTree(file.toFile()));
    }

    // ---- what it holds ----

    /** A model, and what transformers computes with it. */
    record Case(ConfigFixture fixture, JsonNode json) {
        JsonNode set() {
            return json.path("set");
        }

        /** The largest error of our loss, logits and gradients, relative to the largest number of a kind. */
        double worstError(Path folder) throws IOException {
            fixture.write(folder, set(), json.path("tensors").intValue());
            return fixture.results(folder, json.path("train").booleanValue(), head())
                    .worstError(json);
        }

        /** Of an encoder: "sequence" or "token", or empty for the head of masked language modeling. */
        private String head() {
            return json.path("head").asText("");
        }

        @Override
        public String toString() {
            return fixture.json.path("base").path("model_type").asText() + " " + head() + " " + set()
                    + (json.has("train") ? " in training" : "");
        }
    }

    List<Case> cases() {
        return list(json.path("cases")).stream()
                .map(each -> new Case(this, each))
                .toList();
    }

    /** The keys that the class in transformers reads. */
    List<String> keys() {
        return list(json.path("keys")).stream().map(JsonNode::asText).toList();
    }

    /** A value for each harmless key. */
    Map<String, JsonNode> harmless() {
        Map<String, JsonNode> values = new TreeMap<>();
        json.path("harmless").properties().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
        return values;
    }

    /** A value for each rejected key. */
    Map<String, JsonNode> rejected() {
        Map<String, JsonNode> values = new TreeMap<>();
        json.path("rejected")
                .properties()
                .forEach(entry -> values.put(entry.getKey(), entry.getValue().path("value")));
        return values;
    }

    private static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    // ---- a folder ----

    /** The base's configuration with changed keys. */
    String config(JsonNode changes) {
        ObjectNode config = json.path("base").deepCopy();
        changes.properties().forEach(change -> {
            if (change.getValue().asText().equals(REMOVED)) {
                config.remove(change.getKey());
            } else {
                config.set(change.getKey(), change.getValue());
            }
        });
        return config.toString();
    }

    /** Writes a model. */
    void write(Path folder, JsonNode changes, int tensors) throws IOException {
        List<NamedTensor> weights = new ArrayList<>();
        json.path("tensors").path(tensors).properties().forEach(tensor -> {
            Shape shape = Shape.of(list(tensor.getValue()).stream()
                    .mapToLong(JsonNode::longValue)
                    .toArray());
            weights.add(NamedTensor.of(tensor.getKey(), weight(tensor.getKey(), shape)));
        });
        Files.writeString(folder.resolve("config.json"), config(changes));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of("format", "pt"));
    }

    /** Numbers from −0.5 to 0.5: the finalizer of MurmurHash3 on the name's CRC-32 and the index. */
    private static double[] noise(String name, int count) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        double[] numbers = new double[count];
        for (int i = 0; i < count; i++) {
            int x = (int) crc.getValue() + i * 0x9E3779B9;
            x ^= x >>> 16;
            x *= 0x85EBCA6B;
            x ^= x >>> 13;
            x *= 0xC2B2AE35;
            x ^= x >>> 16;
            numbers[i] = Integer.toUnsignedLong(x) / 0x1p32 - 0.5;
        }
        return numbers;
    }

    private static Tensor weight(String name, Shape shape) {
        boolean norm =
                (name.toLowerCase(Locale.ROOT).contains("norm") || name.contains("ln_")) && name.endsWith("weight");
        double[] noise = noise(name, Math.toIntExact(shape.size()));
        float[] weight = new float[noise.length];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) (norm ? 1 + 0.4 * noise[i] : noise[i]);
        }
        return Tensor.of(weight, shape.toArray());
    }

    // ---- results ----

    /**
     * What a model computes.
     *
     * @param logits of some positions
     * @param gradients by parameter, in the order of their names: the product with a fixed vector, and the norm
     */
    record Results(double loss, double[][] logits, Map<String, double[]> gradients) {
        double worstError(JsonNode expected) {
            double theirLoss = expected.path("loss").doubleValue();
            return larger(
                    Math.abs(loss - theirLoss) / theirLoss,
                    larger(
                            errorOfLogits(list(expected.path("logits"))),
                            errorOfGradients(list(expected.path("gradients")))));
        }

        private double errorOfLogits(List<JsonNode> expected) {
            double distance = 0;
            double scale = 0;
            for (int row = 0; row < logits.length; row++) {
                JsonNode theirs = expected.get(row);
                requireSame("logits", logits[row].length, theirs.size());
                for (int i = 0; i < logits[row].length; i++) {
                    distance = larger(
                            distance, Math.abs(logits[row][i] - theirs.path(i).doubleValue()));
                    scale = Math.max(scale, Math.abs(theirs.path(i).doubleValue()));
                }
            }
            return distance / scale;
        }

        /** Some gradients are 0 but for rounding, as that of a key's bias, so the scale has a lower limit. */
        private double errorOfGradients(List<JsonNode> expected) {
            requireSame("parameters", gradients.size(), expected.size());
            double largest = expected.stream()
                    .mapToDouble(pair -> pair.path(1).doubleValue())
                    .max()
                    .orElseThrow();
            double worst = 0;
            int i = 0;
            for (double[] ours : gradients.values()) {
                JsonNode theirs = expected.get(i++);
                double scale = Math.max(theirs.path(1).doubleValue(), 1e-2 * largest);
                for (int part = 0; part < 2; part++) {
                    double distance = Math.abs(ours[part] - theirs.path(part).doubleValue());
                    worst = larger(worst, distance / scale);
                }
            }
            return worst;
        }

        private static void requireSame(String what, int ours, int theirs) {
            if (ours != theirs) {
                throw new AssertionError("there are " + ours + " " + what + ", and should be " + theirs);
            }
        }

        /** The larger one; NaN if one is. */
        private static double larger(double a, double b) {
            return Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : Math.max(a, b);
        }
    }

    Results results(Path folder, boolean train, String head) throws IOException {
        PretrainedModel model = ModelFolder.open(folder).withHead(head(head)).loadModel(Device.cpu(), DType.F32);
        model.train(train);
        int[] ids = list(json.path("ids")).stream()
                .flatMap(row -> list(row).stream())
                .mapToInt(id -> id.intValue() % model.vocabSize())
                .toArray();
        int length = json.path("ids").path(0).size();
        int rows = ids.length / length;
        Variable logits = model.forward(Input.of(Tensor.of(ids, rows, length)));
        Variable loss = logits.crossEntropy(labels(model, ids, rows));
        loss.backward();
        Map<String, double[]> gradients = new TreeMap<>();
        model.namedParameters().forEach((name, parameter) -> gradients.put(name, digest(name, parameter)));
        double[] all = logits.value().toDoubles();
        int scores = Math.toIntExact(logits.shape().last());
        List<double[]> chosen = new ArrayList<>();
        for (JsonNode place : json.path("rows")) {
            int row = place.path(0).intValue();
            int position = logits.shape().rank() == 2
                    ? row
                    : row * length + place.path(1).intValue();
            chosen.add(Arrays.copyOfRange(all, position * scores, (position + 1) * scores));
        }
        return new Results(loss.item(), chosen.toArray(double[][]::new), gradients);
    }

    private static Head head(String name) {
        Labels two = Labels.of("LABEL_0", "LABEL_1");
        return switch (name) {
            case "sequence" -> new Head.SequenceClassification(two);
            case "token" -> new Head.TokenClassification(two);
            default -> new Head.LanguageModeling();
        };
    }

    private static Tensor labels(PretrainedModel model, int[] ids, int rows) {
        int length = ids.length / rows;
        return switch (model.head()) {
            case Head.SequenceClassification _ ->
                Tensor.of(
                        IntStream.range(0, rows)
                                .map(row -> ids[row * length] % 2)
                                .toArray(),
                        rows);
            case Head.TokenClassification _ ->
                Tensor.of(Arrays.stream(ids).map(id -> id % 2).toArray(), rows, length);
            default -> Tensor.of(model instanceof LanguageModel ? Losses.shiftLabels(ids, length) : ids, rows, length);
        };
    }

    private static double[] digest(String name, Variable parameter) {
        @Nullable Tensor gradient = parameter.grad();
        double[] elements =
                gradient == null ? new double[Math.toIntExact(parameter.value().size())] : gradient.toDoubles();
        double[] noise = noise("gradient of " + name, elements.length);
        double product = 0;
        double squares = 0;
        for (int i = 0; i < elements.length; i++) {
            product += elements[i] * noise[i];
            squares += elements[i] * elements[i];
        }
        return new double[] {product, Math.sqrt(squares)};
    }
}

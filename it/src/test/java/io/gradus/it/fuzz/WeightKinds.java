package io.gradus.it.fuzz;

import static io.gradus.it.fuzz.Samples.CPU;
import static io.gradus.it.fuzz.Samples.text;
import static io.gradus.it.fuzz.Samples.utf8;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.delta.Delta;
import io.gradus.train.delta.DeltaSum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** Files with weights: safetensors, shards, models with their configuration, and deltas. */
final class WeightKinds {
    private WeightKinds() {}

    static List<Kind> all() {
        return List.of(new Single(), new Shards(), new Config(), new Deltas());
    }

    private static NamedTensor tensor(String name, DType dtype, float... values) {
        return NamedTensor.of(name, Tensor.of(CPU, values, values.length / 2, 2), dtype);
    }

    private static List<NamedTensor> tensors() {
        return List.of(
                tensor("model.embed_tokens.weight", DType.F32, 1, 2, 3, 4),
                tensor("model.norm.weight", DType.BF16, 5, 6),
                tensor("lm_head.weight", DType.F16, 7, 8, 9, 10, 11, 12));
    }

    /** Reads every tensor. */
    private static List<Object> contents(Path path) throws IOException {
        try (Scope _ = Scope.open("fuzz");
                SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            List<Object> contents = new ArrayList<>(List.of(checkpoint.metadata()));
            for (String name : checkpoint.names()) {
                contents.add(name);
                contents.add(Arrays.toString(checkpoint
                        .read(name, CPU, DType.F32, MemoryCategory.WEIGHTS)
                        .toFloats()));
            }
            return contents;
        }
    }

    /** One safetensors file. */
    private static final class Single implements Kind {
        private final byte[] file = Samples.files(
                        folder -> SafetensorsWriter.write(folder.resolve("a"), tensors(), Map.of("format", "pt")))
                .get("a");

        @Override
        public String name() {
            return "safetensors";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            return Map.of("model.safetensors", Tensors.mutate(file, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            return contents(folder.resolve("model.safetensors"));
        }
    }

    /** An index with its shards. */
    private static final class Shards implements Kind {
        private static final List<String> VALUES = List.of(
                "\"model-00001-of-00003.safetensors\"",
                "\"model-00003-of-00003.safetensors\"",
                "\"model.safetensors.index.json\"",
                "\"../model-00001-of-00003.safetensors\"",
                "\"/etc/hostname\"",
                "\"model-00004-of-00003.safetensors\"");

        private final Map<String, byte[]> files = Samples.files(
                folder -> SafetensorsWriter.writeCheckpoint(folder, tensors(), Map.of("format", "pt"), 12));

        @Override
        public String name() {
            return "shards";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new TreeMap<>(files);
            List<String> names = List.copyOf(sample.keySet());
            do {
                String name = names.get(random.nextInt(names.size()));
                String other = names.get(random.nextInt(names.size()));
                switch (random.nextInt(6)) {
                    case 0 -> sample.remove(name);
                    case 1 -> sample.put(name, files.get(other)); // the same tensors in two shards
                    default -> sample.put(name, mutate(name, files.get(name), random));
                }
            } while (random.nextInt(4) == 0);
            return sample;
        }

        private static byte[] mutate(String name, byte[] file, RandomGenerator random) {
            if (!name.endsWith(".json")) {
                return Tensors.mutate(file, random);
            }
            return random.nextInt(4) == 0
                    ? Bytes.mutate(file, VALUES, random)
                    : utf8(Json.mutate(Json.parse(text(file)), VALUES, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            return contents(folder);
        }
    }

    /** A model's configuration, with weights that it may contradict. */
    private static final class Config implements Kind {
        private static final List<String> VALUES = List.of(
                "\"llama\"",
                "\"mistral\"",
                "\"qwen2\"",
                "\"qwen3\"",
                "\"gpt2\"",
                "\"bert\"",
                "\"gelu\"",
                "\"relu\"",
                "\"silu\"",
                "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,"
                        + "\"original_max_position_embeddings\":8}",
                "{\"type\":\"yarn\",\"factor\":2}",
                "{\"type\":\"linear\",\"factor\":0}",
                "{\"rope_theta\":1e6}",
                "{\"quant_method\":\"gptq\"}",
                "\"bfloat16\"");

        private static final List<String> KEYS = List.of(
                "rope_scaling",
                "rope_parameters",
                "sliding_window",
                "head_dim",
                "tie_word_embeddings",
                "attention_bias",
                "mlp_bias",
                "hidden_act",
                "layer_types",
                "quantization_config",
                "num_experts",
                "n_inner",
                "rope_theta",
                "num_key_value_heads",
                "scale_attn_weights",
                "partial_rotary_factor",
                "attention_dropout");

        private final List<Map<String, byte[]>> models = List.of(Samples.llama(), Samples.gpt2());

        @Override
        public String name() {
            return "config";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new HashMap<>(models.get(random.nextInt(models.size())));
            byte[] config = sample.get("config.json");
            if (random.nextInt(8) == 0) {
                sample.put("config.json", Bytes.mutate(config, VALUES, random));
            } else {
                String json = text(config);
                if (random.nextInt(3) == 0) { // a key that the sample does not have
                    List<String> values = random.nextBoolean() ? VALUES : Json.ODD_VALUES;
                    String value = values.get(random.nextInt(values.size()));
                    json = "{\"" + KEYS.get(random.nextInt(KEYS.size())) + "\":" + value + ","
                            + json.strip().substring(1);
                } else {
                    json = Json.mutate(Json.parse(json), VALUES, random);
                }
                sample.put("config.json", utf8(json));
            }
            if (random.nextInt(6) == 0) {
                sample.put("model.safetensors", Tensors.mutate(sample.get("model.safetensors"), random));
            }
            return sample;
        }

        @Override
        public Object load(Path folder) throws IOException {
            try (Scope _ = Scope.open("fuzz")) {
                LanguageModel model = ModelFolder.open(folder).load(CPU);
                return List.of(
                        model.config(),
                        model.namedParameters().keySet().toString(),
                        model.namedParameters().values().stream()
                                .map(parameter ->
                                        Arrays.hashCode(parameter.value().toFloats()))
                                .toList());
            }
        }
    }

    /** A delta with its base model. */
    private static final class Deltas implements Kind {
        private static final List<String> VALUES = List.of(
                "\"2\"",
                "\"gradus-delta\"",
                "\"I32\"",
                "\"F16\"",
                "\"model.norm.weight\"",
                "\"[]\"",
                "\"{}\"",
                "\"[{}]\"",
                "\"[null]\"",
                "\"[{\\\"name\\\":1}]\"");

        private final Map<String, byte[]> base = Samples.llama();
        private final byte[] delta = Samples.files(folder -> {
                    Path before = write(folder.resolve("base"), base);
                    Map<String, byte[]> changed = new HashMap<>(base);
                    byte[] weights = base.get("model.safetensors").clone();
                    for (int i = weights.length - 200; i < weights.length; i += 3) {
                        weights[i] ^= 1;
                    }
                    changed.put("model.safetensors", weights);
                    Delta.diff(before, write(folder.resolve("tuned"), changed), folder.resolve("delta"));
                })
                .get("delta");

        private static Path write(Path folder, Map<String, byte[]> files) throws IOException {
            Files.createDirectories(folder);
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue());
            }
            return folder;
        }

        @Override
        public String name() {
            return "delta";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new HashMap<>();
            base.forEach((name, file) -> sample.put("base/" + name, file));
            sample.put("delta.safetensors", random.nextInt(3) == 0 ? metadata(random) : Tensors.mutate(delta, random));
            if (random.nextInt(8) == 0) {
                sample.put("base/model.safetensors", Tensors.mutate(base.get("model.safetensors"), random));
            }
            return sample;
        }

        /** A change within the JSON that the metadata has as text. */
        private byte[] metadata(RandomGenerator random) {
            return Tensors.editMetadata(
                    delta,
                    "tensors",
                    text -> random.nextInt(6) == 0
                            ? text(Bytes.mutate(utf8(text), VALUES, random))
                            : Json.mutate(Json.parse(text), VALUES, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            Path file = folder.resolve("delta.safetensors");
            Path target = folder.resolve("sum");
            try (Scope _ = Scope.open("fuzz")) {
                Delta read = Delta.read(file);
                String shown = read.total() + " " + read.byLayer() + " " + read.dtypes() + " " + read.leftOut();
                DeltaSum.Written written =
                        DeltaSum.of(folder.resolve("base")).plus(file, 1).write(target);
                return List.of(
                        shown,
                        written.tensors(),
                        written.exact(),
                        Arrays.hashCode(Files.readAllBytes(target.resolve("model.safetensors"))));
            } finally {
                if (Files.exists(target)) {
                    Workspace.delete(target);
                }
            }
        }
    }
}

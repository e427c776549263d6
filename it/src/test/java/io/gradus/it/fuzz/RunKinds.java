package io.gradus.it.fuzz;

import static io.gradus.it.fuzz.Samples.CPU;
import static io.gradus.it.fuzz.Samples.text;
import static io.gradus.it.fuzz.Samples.utf8;

import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.checkpoint.Checkpoints;
import io.gradus.train.checkpoint.Checkpoints.Checkpoint;
import io.gradus.train.checkpoint.Inputs;
import io.gradus.train.checkpoint.RunState;
import io.gradus.train.checkpoint.StateFiles;
import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Folders that programs write and read again: the checkpoints of a run, and tokenizers. */
final class RunKinds {
    private RunKinds() {}

    static List<Kind> all() {
        return List.of(new Resumed(), new Tokenizers());
    }

    /** The newest checkpoint of a run, from which it resumes. */
    private static final class Resumed implements Kind {
        private static final String FOLDER = "checkpoints/step-000002/";
        private static final List<String> VALUES =
                List.of("\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "\"cpu\"", "[1.5]");
        private static final List<String> FILES =
                List.of("state.json", "state.json", "optimizer.safetensors", "config.json", "model.safetensors");

        private final Map<String, byte[]> files = Samples.files(folder -> {
            Map<String, byte[]> model = Samples.llama();
            RunState state = new RunState(
                    2,
                    5,
                    Recipe.defaults().toMap(),
                    Map.of("optimizer", "AdamW"),
                    Inputs.UNKNOWN,
                    Map.of("held_out", 2.5),
                    new SpikeGuard.State(List.of(2.5, 2.25), 0, 1),
                    new EarlyStopping.State(1, 2.25, 1),
                    null);
            try (Scope _ = Scope.open("sample")) {
                Tensor moment = Tensor.of(CPU, new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2);
                new Checkpoints(folder)
                        .write(
                                state,
                                1,
                                target -> {
                                    for (Map.Entry<String, byte[]> file : model.entrySet()) {
                                        Files.write(target.resolve(file.getKey()), file.getValue());
                                    }
                                },
                                target -> StateFiles.write(
                                        target, List.of(NamedTensor.of("exp_avg.model.norm.weight", moment))));
            }
        });

        @Override
        public String name() {
            return "checkpoint";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new HashMap<>(files);
            String name = FOLDER + FILES.get(random.nextInt(FILES.size()));
            byte[] file = sample.get(name);
            if (random.nextInt(20) == 0) {
                sample.remove(name);
            } else if (name.endsWith(".safetensors")) {
                sample.put(name, Tensors.mutate(file, random));
            } else if (random.nextInt(4) == 0) {
                sample.put(name, Bytes.mutate(file, VALUES, random));
            } else {
                sample.put(name, utf8(Json.mutate(Json.parse(text(file)), VALUES, random)));
            }
            return sample;
        }

        @Override
        public Object load(Path folder) throws IOException {
            List<Object> loaded = new ArrayList<>();
            Recipe recipe = Recipe.builder().output(folder).resume(true).build();
            Optional<Checkpoint> newest = new Checkpoints(folder).resumable(recipe, 1);
            if (newest.isEmpty()) {
                return loaded;
            }
            loaded.add(newest.get().state());
            Checkpoints.restore(newest.get(), CPU, saved -> {
                for (String name : saved.names()) {
                    Tensor tensor = saved.read(name);
                    loaded.add(name + tensor.shape() + tensor.dtype());
                }
            });
            try (Scope _ = Scope.open("fuzz")) {
                new ModelFolder(newest.get().path())
                        .load(CPU)
                        .namedParameters()
                        .forEach((name, parameter) -> loaded.add(
                                name + Arrays.hashCode(parameter.value().toFloats())));
            }
            return loaded;
        }
    }

    /** A tokenizer. */
    private static final class Tokenizers implements Kind {
        private static final String ID = "{\"id\":0,\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,"
                + "\"rstrip\":false,\"normalized\":false,\"special\":true}";
        private static final String BPE = """
                {"version":"1.0","truncation":null,"padding":null,
                "added_tokens":[%s],
                "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},
                {"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
                "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
                "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
                {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},
                {"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}},
                "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
                "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
                "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
                "vocab":{"<s>":0,"a":1,"b":2,"c":3,"Ġ":4,"ab":5,"abc":6,"Ġa":7},"merges":["a b","ab c","Ġ a"]}}
                """.formatted(ID);
        private static final String UNIGRAM = """
                {"version":"1.0","truncation":null,"padding":null,"added_tokens":[%s],
                "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
                {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"pre_tokenizer":null,"post_processor":null,
                "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
                {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
                "model":{"type":"Unigram","unk_id":1,"byte_fallback":false,
                "vocab":[["<s>",0.0],["<unk>",0.0],["▁",-2.0],["a",-2.5],["ab",-3.0],["▁abc",-4.5]]}}
                """.formatted(ID);
        private static final String CONFIG = """
                {"tokenizer_class":"PreTrainedTokenizerFast","bos_token":"<s>","eos_token":{"content":"<s>"},
                "add_bos_token":true,"added_tokens_decoder":{"0":{"content":"<s>","special":true}},
                "model_max_length":16,"chat_template":"{{ messages }}"}
                """;
        private static final List<String> VALUES = List.of(
                "\"BPE\"",
                "\"Unigram\"",
                "\"WordPiece\"",
                "\"WordLevel\"",
                "\"ByteLevel\"",
                "\"Metaspace\"",
                "\"NFKC\"",
                "\"Lowercase\"",
                "\"Split\"",
                "\"Digits\"",
                "\"Sequence\"",
                "\"Strip\"",
                "\"Replace\"",
                "{\"Regex\":\"(\"}",
                "{\"Regex\":\"(a*)*b\"}",
                "{\"String\":\"\"}",
                "{\"type\":\"Fuse\"}",
                "\"<s>\"",
                "[\"a\",\"b\"]",
                ID);
        private static final String TEXT = "<s>abc a  b é漢😀\n\t<s>";

        @Override
        public String name() {
            return "tokenizer";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new HashMap<>();
            String tokenizer = random.nextBoolean() ? BPE : UNIGRAM;
            sample.put("tokenizer.json", utf8(tokenizer));
            sample.put("tokenizer_config.json", utf8(CONFIG));
            if (random.nextInt(4) == 0) {
                sample.remove("tokenizer.json");
                sample.put("vocab.json", utf8("{\"a\":0,\"b\":1,\"ab\":2,\"Ġ\":3,\"<|endoftext|>\":4}"));
                sample.put("merges.txt", utf8("#version: 0.2\na b\n"));
                sample.put("config.json", utf8("{\"model_type\":\"gpt2\"}"));
            }
            List<String> names = sample.keySet().stream().sorted().toList();
            String name = random.nextInt(3) > 0 && sample.containsKey("tokenizer.json")
                    ? "tokenizer.json"
                    : names.get(random.nextInt(names.size()));
            byte[] file = sample.get(name);
            sample.put(
                    name,
                    random.nextInt(4) == 0 || !name.endsWith(".json")
                            ? Bytes.mutate(file, VALUES, random)
                            : utf8(Json.mutate(Json.parse(text(file)), VALUES, random)));
            return sample;
        }

        @Override
        public Object load(Path folder) throws IOException {
            Tokenizer tokenizer = Tokenizer.load(folder);
            int[] ids = tokenizer.encode(TEXT);
            return List.of(
                    Arrays.toString(ids),
                    tokenizer.decode(ids),
                    tokenizer.spell(ids),
                    tokenizer.vocabSize(),
                    tokenizer.bos(),
                    tokenizer.eosIds(),
                    tokenizer.addsBos());
        }
    }
}

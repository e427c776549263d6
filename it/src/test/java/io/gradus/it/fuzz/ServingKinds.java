package io.gradus.it.fuzz;

import static io.gradus.it.fuzz.Samples.text;
import static io.gradus.it.fuzz.Samples.utf8;

import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.data.serve.ClassifierSettings;
import io.gradus.data.serve.EmbedderSettings;
import io.gradus.data.serve.Pooling;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Files beside a model that say how it is served. */
final class ServingKinds {
    private ServingKinds() {}

    static List<Kind> all() {
        return List.of(new ClassifierFile(), new EmbedderFiles());
    }

    private static byte[] mutate(byte[] file, List<String> values, RandomGenerator random) {
        return random.nextInt(4) == 0
                ? Bytes.mutate(file, values, random)
                : utf8(Json.mutate(Json.parse(text(file)), values, random));
    }

    /** What a class writes must read the same. */
    private static void requireSame(Object settings, Object again) {
        if (!settings.equals(again)) {
            throw new AssertionError("the settings are written as others:\n" + settings + "\n" + again);
        }
    }

    /** Length, truncation and temperature of a classifier. */
    private static final class ClassifierFile implements Kind {
        private static final int CONTEXT = 64;
        private static final List<String> VALUES = List.of(
                "\"head\"", "\"head_tail\"", "\"windows\"", "\"HEAD\"", "\"1.5\"", "65", "1e-400", "\"Infinity\"");

        private final byte[] file = Samples.files(
                        folder -> new ClassifierSettings(48, Truncation.HEAD_TAIL, 1.25).write(folder))
                .get(ClassifierSettings.FILE);

        @Override
        public String name() {
            return "classifier";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            return Map.of(ClassifierSettings.FILE, mutate(file, VALUES, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            ClassifierSettings settings = ClassifierSettings.read(folder, CONTEXT);
            Path written = Files.createDirectory(folder.resolve("written"));
            try {
                settings.write(written);
                requireSame(settings, ClassifierSettings.read(written, CONTEXT));
            } finally {
                Workspace.delete(written);
            }
            return settings;
        }
    }

    /** The files of sentence-transformers, with the network in a folder of its own in half of the samples. */
    private static final class EmbedderFiles implements Kind {
        private static final List<String> VALUES = List.of(
                "\"sentence_transformers.models.Transformer\"",
                "\"sentence_transformers.models.Pooling\"",
                "\"sentence_transformers.models.Normalize\"",
                "\"Dense\"",
                "\"0_Transformer\"",
                "\"1_Pooling\"",
                "\"..\"",
                "\"/etc\"",
                "\"1_Pooling/../1_Pooling\"",
                "\"config.json\"",
                "\"default\"",
                "\"lasttoken\"",
                "{\"default\":1}",
                "{\"query\":\"q: \"}");

        private final Map<String, byte[]> flat =
                Samples.files(folder -> new EmbedderSettings(Pooling.CLS, true, 9, true, "query: ").write(folder, 4));

        @Override
        public String name() {
            return "embedder";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            Map<String, byte[]> sample = new HashMap<>(flat);
            sample.put("config.json", utf8("{}"));
            if (random.nextBoolean()) {
                sample.put("0_Transformer/config.json", utf8("{}"));
                sample.put("0_Transformer/sentence_bert_config.json", sample.remove("sentence_bert_config.json"));
                String modules = text(sample.get("modules.json"));
                sample.put("modules.json", utf8(modules.replace("\"\"", "\"0_Transformer\"")));
            }
            Map<String, byte[]> valid = Map.copyOf(sample);
            List<String> names = valid.keySet().stream().sorted().toList();
            do {
                String name = random.nextInt(3) == 0 ? "modules.json" : names.get(random.nextInt(names.size()));
                if (random.nextInt(16) == 0) {
                    sample.remove(name);
                } else {
                    sample.put(name, mutate(valid.get(name), VALUES, random));
                }
            } while (random.nextInt(4) == 0);
            return sample;
        }

        @Override
        public Object load(Path folder) throws IOException {
            EmbedderSettings settings =
                    EmbedderSettings.read(ModelFolder.open(folder).path());
            Path written = Files.createDirectory(folder.resolve("written"));
            try {
                settings.write(written, 4);
                EmbedderSettings again = EmbedderSettings.read(written);
                requireSame(settings, again);
            } finally {
                Workspace.delete(written);
            }
            return settings;
        }
    }
}

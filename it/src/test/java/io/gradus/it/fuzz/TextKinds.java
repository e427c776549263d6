package io.gradus.it.fuzz;

import static io.gradus.it.fuzz.Samples.text;
import static io.gradus.it.fuzz.Samples.utf8;

import io.gradus.data.DataFormat;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.LabelTemplate;
import io.gradus.data.TaggedWords;
import io.gradus.data.TaggedWordsFiles;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** Files that users write: recipes and training text. */
final class TextKinds {
    private static final DataFormat ANY = new DataFormat(
            DataFormat.Kind.AUTO, ChatTemplate.builtIn("plain", new ByteTokenizer()), LabelTemplate.DEFAULT);

    private TextKinds() {}

    static List<Kind> all() {
        return List.of(
                new Recipes(),
                new JsonLines(),
                new Table(
                        "csv",
                        """
                        id,Text,label
                        1,"good, ""very"" good",pos
                        2,"two
                        lines", neg\s
                        3,naïve 😀,pos
                        """,
                        List.of(
                                ",", "\"", "\"\"", "\n", "\r\n", "\r", "\",\"", "text", "label", ", \"", "\"\n",
                                "\uFEFF")),
                new Table("tsv", """
                        text\tlabel\tid
                        "What a film\tneg\t1
                        so good"\tpos\t2

                        naïve 😀\tneg\t3
                        """, List.of("\t", "\"", "\n", "\r\n", "\r", "text", "label", "\t\t", "\uFEFF")),
                new Conll(),
                new TaggedLines(),
                new Table(
                        "txt", "First line\n\n\u2028é漢😀\nlast line\n", List.of("\r", "\uFEFF", "\0", "\u2028", " ")));
    }

    /** All sentences; reading them again must give the same. */
    private static List<TaggedWords> sentences(Path file) throws IOException {
        return List.copyOf(TaggedWordsFiles.read(file, null));
    }

    /** Lines removed, doubled, exchanged or moved. */
    private static String shuffleLines(String text, RandomGenerator random) {
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
        int one = random.nextInt(lines.size());
        int other = random.nextInt(lines.size());
        switch (random.nextInt(4)) {
            case 0 -> lines.remove(one);
            case 1 -> lines.add(other, lines.get(one));
            case 2 -> lines.set(other, lines.get(one));
            default -> lines.set(one, lines.get(one) + lines.get(other));
        }
        return String.join(random.nextInt(4) == 0 ? "\r\n" : "\n", lines);
    }

    /** JSON Lines, one of which is changed. */
    private static byte[] lines(List<String> valid, List<String> values, RandomGenerator random) {
        List<String> lines = new ArrayList<>(valid);
        int line = random.nextInt(lines.size());
        if (random.nextInt(3) > 0) {
            lines.set(line, Json.mutate(Json.parse(lines.get(line)), values, random));
        }
        byte[] file = utf8(lines.stream().collect(Collectors.joining("\n", "", "\n")));
        return random.nextInt(3) > 0 ? file : Bytes.mutate(file, values, random);
    }

    /** A recipe, with keys of the command line. */
    private static final class Recipes implements Kind {
        private static final List<String> RECIPES =
                List.of(Recipe.defaults().toYaml(), Recipe.documentation(), """
                base: &base {path: a.txt, weight: 2}
                """, """
                model: {path: my-llama}
                data:
                  sources: [{path: a.txt, weight: 2}, {path: b.jsonl, weight: 1}]
                  format: auto
                  label_template: {prompt: "{text}\\n", completion: ' {label}'}
                output: &out tuned
                steps: 1_000
                max_grad_norm: .inf
                optimizer: sgd
                nesterov: true
                freeze: [model.embed_tokens.*, '*norm*']
                sample:
                  prompt: |
                    Once upon
                    a time
                  temperature: 0.5
                seed: -3
                """);

        private static final List<String> TOKENS = List.of(
                "&a ",
                "*a",
                "*out",
                "<<: ",
                "!!str ",
                "!!int ",
                "!x ",
                "? ",
                ": ",
                "- ",
                "--- ",
                "...",
                "|\n",
                ">-\n",
                "~",
                "null",
                ".inf",
                "-.inf",
                ".nan",
                "NaN",
                "0x1F",
                "0o17",
                "010",
                "1_0",
                "1e400",
                "-1",
                "99999999999999999999",
                "true",
                "yes",
                "off",
                "{}",
                "[]",
                "[a, b]",
                "{a: b}",
                "'",
                "\"",
                "\"\\ud800\"",
                "\"\\0\"",
                "# ",
                "\t",
                "  ",
                "\n",
                "\r",
                "%YAML 1.1\n",
                "@",
                "`",
                "steps: 5\n",
                "data:\n",
                "2024-01-01",
                "1:30:00",
                "\u0085",
                "\u2028");

        private final List<String> keys = List.copyOf(Recipe.defaults().toMap().keySet());

        @Override
        public String name() {
            return "recipe";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            String recipe = RECIPES.get(random.nextInt(RECIPES.size()));
            byte[] yaml = switch (random.nextInt(4)) {
                case 0 -> utf8(shuffleLines(recipe, random));
                case 1 -> utf8(replaceValue(recipe, random));
                default -> Bytes.mutate(utf8(recipe), TOKENS, random);
            };
            String overrides = "";
            for (int i = random.nextInt(3); i > 0; i--) {
                String value = random.nextBoolean()
                        ? TOKENS.get(random.nextInt(TOKENS.size()))
                        : Json.ODD_VALUES.get(random.nextInt(Json.ODD_VALUES.size()));
                overrides += keys.get(random.nextInt(keys.size())) + "=" + value + "\u0001";
            }
            return Map.of("recipe.yaml", yaml, "overrides", utf8(overrides));
        }

        private static String replaceValue(String recipe, RandomGenerator random) {
            String[] lines = recipe.split("\n");
            int line = random.nextInt(lines.length);
            String token = TOKENS.get(random.nextInt(TOKENS.size()));
            lines[line] = lines[line].replaceFirst(":.*", "") + ": " + token;
            return String.join("\n", lines);
        }

        @Override
        public Object load(Path folder) throws IOException {
            String overrides = text(Files.readAllBytes(folder.resolve("overrides")));
            Recipe recipe = Recipe.read(
                    folder.resolve("recipe.yaml"), overrides.isEmpty() ? new String[0] : overrides.split("\u0001"));
            String yaml = recipe.toYaml();
            if (!Recipe.parse(yaml).equals(recipe)) {
                throw new AssertionError("the recipe is written as another one:\n" + yaml);
            }
            return recipe;
        }
    }

    /** JSON Lines of all kinds of documents. */
    private static final class JsonLines implements Kind {
        private static final List<String> LINES = List.of(
                "{\"text\":\"one\\nline é \\ud83d\\ude00\"}",
                "{\"prompt\":\"well?\",\"completion\":\" yes\"}",
                "{\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"a\"},"
                        + "{\"role\":\"assistant\",\"content\":\"b\"}]}");
        private static final List<String> VALUES = List.of(
                "\"user\"",
                "\"assistant\"",
                "\"tool\"",
                "\"text\"",
                "\"b \\ud83d\"",
                "[{\"type\":\"text\",\"text\":\"a\"}]");

        @Override
        public String name() {
            return "jsonl";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            return Map.of("a.jsonl", lines(LINES, VALUES, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            return Documents.read(folder.resolve("a.jsonl"), ANY);
        }
    }

    /** A table of labeled texts, or plain text. */
    private record Table(String name, String content, List<String> tokens) implements Kind {
        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            String text = random.nextInt(3) == 0 ? shuffleLines(content, random) : content;
            return Map.of("a." + name, Bytes.mutate(utf8(text), tokens, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            Path file = folder.resolve("a." + name);
            Collection<Document> documents = Documents.read(file, ANY);
            if (name.equals("tsv")) {
                long lines = Files.readString(file)
                        .lines()
                        .filter(line -> !line.isBlank() || line.contains("\t"))
                        .count();
                if (lines != documents.size() + 1) {
                    throw new AssertionError(lines + " lines have become " + documents.size() + " rows");
                }
            }
            return documents;
        }
    }

    /** Words with tags, in columns. */
    private static final class Conll implements Kind {
        private static final String FILE = """
                -DOCSTART- -X- O O

                EU NNP B-NP B-ORG
                rejects VBZ B-VP O
                naïve\tJJ\tO\tB-MISC
                😀 NN I-NP I-MISC

                Peter B-PER
                Blackburn I-PER
                """;
        private static final List<String> TOKENS = List.of(
                " ",
                "\t",
                "\n",
                "\n\n",
                "\r\n",
                "\r",
                "O",
                "B-",
                "I-PER",
                "-DOCSTART-",
                "\u00A0",
                "\u2028",
                "\uFEFF",
                "\0");

        @Override
        public String name() {
            return "conll";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            String text = random.nextInt(3) == 0 ? shuffleLines(FILE, random) : FILE;
            return Map.of("a.conll", Bytes.mutate(utf8(text), TOKENS, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            List<TaggedWords> sentences = sentences(folder.resolve("a.conll"));
            for (TaggedWords sentence : sentences) {
                if (sentence.words().size() != sentence.tags().size()
                        || sentence.words().stream().anyMatch(String::isBlank)
                        || sentence.tags().stream().anyMatch(String::isBlank)) {
                    throw new AssertionError("a word is blank or has no tag: " + sentence);
                }
            }
            return sentences;
        }
    }

    /** Words with tags, as JSON Lines. */
    private static final class TaggedLines implements Kind {
        private static final List<String> LINES = List.of(
                "{\"tokens\":[\"EU\",\"rejects\",\"call\"],\"ner_tags\":[\"B-ORG\",\"O\",\"O\"]}",
                "{\"id\":2,\"tokens\":[\"na\\u00efve\",\"\\ud83d\\ude00\"],\"tags\":[\"O\",\"I-X\"]}");
        private static final List<String> VALUES =
                List.of("\"O\"", "\"B-PER\"", "\"tokens\"", "\"tags\"", "[\"a\"]", "\" \"", "\"\\ud83d\"");

        @Override
        public String name() {
            return "tags";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            return Map.of("a.jsonl", lines(LINES, VALUES, random));
        }

        @Override
        public Object load(Path folder) throws IOException {
            return sentences(folder.resolve("a.jsonl"));
        }
    }
}

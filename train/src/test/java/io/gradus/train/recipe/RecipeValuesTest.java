package io.gradus.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every value of every key means the same in a file and on the command line, and is written as it is read. */
class RecipeValuesTest {

    /** Values of each key, as YAML; those before the first colon are other keys that they need. */
    private static Map<String, List<String>> values() {
        Map<String, List<String>> values = new HashMap<>();
        List<String> paths = List.of("a.txt", "/a b/c", "2024", "1_000", "007", "true", "C:\\a", "é/漢😀", "~");
        for (String key : List.of("model.path", "data.train", "data.eval", "data.general", "output")) {
            values.put(key, paths);
        }
        values.put("data.replay", List.of("~"));
        values.put(
                "data.sources",
                List.of(
                        "[]",
                        "[{path: a, weight: 2}]",
                        "[{path: a.txt, weight: 2}, {path: b.jsonl, weight: 1}]",
                        "[{path: 'a: b', weight: 0.5}, {path: \"c, d\", weight: 0x10}]",
                        "[a, {path: b}]",
                        "a.txt,b.txt"));
        values.put("freeze", List.of("[]", "[model.embed_tokens.*, '*norm*']", "[\"*\"]", "lm_head", "a, b"));
        values.put("data.validation_split", List.of("0.05", ".5", "5e-2", "5E-2", "+0.1", "0.000_1"));
        values.put("data.max_seq_len", List.of("~", "2", "1_024", "0x100", "0o17", "+5", "2147483647"));
        values.put("data.format", List.of("auto", "text", "prompt_completion", "chat", "csv", "CSV", "Text"));
        values.put("data.chat_template", List.of("~", "llama2", "llama3", "chatml", "plain", "ChatML"));
        values.put("data.label_template.prompt", List.of("{text}", "# {text}: ", " {text} is "));
        values.put("data.label_template.completion", List.of("{label}", "{label}!"));
        values.put("data.packing", List.of("null", "documents", "stream"));
        values.put("data.replay_ratio", List.of("0.0", "0", "0.999"));
        for (String key :
                List.of("steps", "loss_chunk_size", "threads", "early_stopping_patience", "gradual_unfreeze_steps")) {
            values.put(key, List.of("null", "Null", "~", "1", "1_000_000", "2147483647", "0x7FFFFFFF"));
        }
        for (String key : List.of(
                "batch_size",
                "gradient_accumulation_steps",
                "ewc_samples",
                "eval_steps",
                "max_eval_blocks",
                "save_steps",
                "save_total_limit",
                "sample.max_tokens")) {
            values.put(key, List.of("null", "1", "12", "2147483647"));
        }
        values.put("epochs", List.of("~", "1", "2.5", "1e3", "1e-300"));
        values.put("save_dtype", List.of("keep", "f32", "bf16", "f16", "BF16"));
        values.put("parallel", List.of("none", "data", "NONE"));
        values.put("precision", List.of("f32", "bf16", "f16", "BF16"));
        values.put("matmul_precision", List.of("highest", "high", "medium", "MEDIUM"));
        Recipe.defaults().toMap().forEach((key, value) -> {
            if (value.equals("true") || value.equals("false")) {
                values.put(key, List.of("false", "False", "FALSE", "~"));
            }
        });
        values.put("nesterov", List.of("~"));
        values.put("momentum", List.of("~"));
        values.put("learning_rate", List.of("5.0e-4", "0", "1", "1e-7", "4.9e-324", "1.7976931348623157e308"));
        values.put("schedule", List.of("cosine", "linear", "constant", "slanted_triangular", "LINEAR"));
        values.put("warmup_ratio", List.of("0", "0.05", "0.999"));
        values.put("min_lr_ratio", List.of("~", "0", "0.1", "1"));
        values.put("layer_decay", List.of("1.0", "1", "0.38"));
        values.put("optimizer", List.of("adamw", "adam", "sgd", "adafactor", "adamw8bit"));
        values.put("weight_decay", List.of("0.01", "0"));
        values.put("beta1", List.of("~", "0", "0.9"));
        values.put("beta2", List.of("~", "0", "0.999"));
        values.put("epsilon", List.of("~", "1.0e-8", "1e-8"));
        values.put("max_grad_norm", List.of("1.0", "Infinity", ".inf", ".Inf", ".INF", "+.inf", "0.5"));
        values.put("l2_sp", List.of("0.0", "0.5"));
        values.put("ewc", List.of("0.0", "100"));
        values.put("ema_decay", List.of("~", "0.999"));
        values.put("wise_ft_alpha", List.of("1.0", "0.5"));
        values.put("spike_z", List.of("~", "6", "6.5"));
        values.put("sample.prompt", List.of("~", "null", "5", "007", "true", "once upon a time", ".inf", "2024-01-31"));
        values.put("sample.temperature", List.of("0.8", "0", "1e10"));
        values.put("seed", List.of("42", "-3", "+7", "0", "9223372036854775807", "-9223372036854775808", "0xFF"));
        values.put("device", List.of("cpu", "gpu"));
        values.put("task", List.of("language_modeling", "sequence_classification", "LANGUAGE_MODELING"));
        values.put("data.text_column", List.of("text")); // others have no effect without task
        values.put("classification.class_weights", List.of("[]"));
        values.put("classification.label_smoothing", List.of("0.0", "0"));
        values.put("classification.truncation", List.of("head_tail", "HEAD_TAIL"));
        for (String key : List.of(
                "data.text_pair_column", "data.label_column", "classification.problem_type", "metric_for_best_model")) {
            values.put(key, List.of("~", "null"));
        }
        return values;
    }

    static Stream<Arguments> keysAndValues() {
        return values().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    private static String nested(String key, String value) {
        String[] parts = key.split("\\.");
        StringBuilder yaml = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            yaml.append("  ".repeat(i)).append(parts[i]).append(':').append(i < parts.length - 1 ? "\n" : " ");
        }
        return yaml.append(value).append('\n').toString();
    }

    @Test
    void everyKeyHasValues() {
        assertThat(values().keySet()).isEqualTo(Recipe.defaults().toMap().keySet());
    }

    @ParameterizedTest
    @MethodSource("keysAndValues")
    void valueMeansTheSameInAFileAndOnTheCommandLine(String key, List<String> values) {
        for (String value : values) {
            boolean text = key.startsWith("data.label_template") || key.equals("sample.prompt");
            String quoted = text && !value.equals("~") && !value.equals("null") ? "'" + value + "'" : value;
            String override = key + "=" + value;
            Recipe recipe = Recipe.parse(nested(key, quoted));
            assertThat(Recipe.parse("", override)).isEqualTo(recipe);
            assertThat(Recipe.parse("steps: 5\nseed: 7", override))
                    .isEqualTo(Recipe.parse(nested(key, quoted), otherKeys(key)));
            assertRoundTrip(recipe);
        }
    }

    private static String[] otherKeys(String key) {
        return Stream.of("steps=5", "seed=7")
                .filter(other -> !other.startsWith(key + "="))
                .toArray(String[]::new);
    }

    private static void assertRoundTrip(Recipe recipe) {
        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
        assertThat(Recipe.parse("", overrides(recipe))).isEqualTo(recipe);
    }

    private static String[] overrides(Recipe recipe) {
        return recipe.toMap().entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "fa-IR", "tr-TR", "de-DE", "hi-IN-u-nu-deva"})
    void recipeIsWrittenAndReadTheSameInEveryLocale(String tag) {
        String yaml = """
                model: {path: I/İ}
                data: {train: a.txt, validation_split: 0.25, max_seq_len: 1_024, format: TEXT, packing: STREAM}
                steps: 12345
                learning_rate: 1.25e-4
                max_grad_norm: .inf
                schedule: LINEAR
                optimizer: ADAMW8BIT
                precision: BF16
                freeze: [I, i]
                sample: {prompt: Iı İi ١٢٣, temperature: 0.75}
                seed: -1234567
                """;
        Recipe recipe = Recipe.parse(yaml);
        String written = recipe.toYaml();
        Map<String, String> map = recipe.toMap();
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertThat(Recipe.parse(yaml)).isEqualTo(recipe);
            assertThat(recipe.toYaml()).isEqualTo(written);
            assertThat(recipe.toMap())
                    .isEqualTo(map)
                    .containsEntry("steps", "12345")
                    .containsEntry("seed", "-1234567");
            assertRoundTrip(recipe);
            assertThatThrownBy(() -> Recipe.parse("", "steps=0"))
                    .hasMessage("recipe: steps is 0; it must be at least 1");
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @MethodSource("keysAndValues")
    void oddValueIsReadOrReportedWithItsKey(String key) {
        List<String> odd = List.of(
                "",
                " ",
                "NaN",
                ".nan",
                "nan",
                "inf",
                "-.inf",
                "Infinity",
                "-1",
                "0",
                "1.5",
                "1e999",
                "-1e999",
                "010",
                "1d",
                "0x1p3",
                "0x",
                "0xFFFFFFFFFFFFFFFFFF",
                "99999999999999999999",
                "9".repeat(5000),
                "yes",
                "no",
                "on",
                "1",
                "{}",
                "{a: 1}",
                "[]",
                "[[1]]",
                "[{}]",
                "[{weight: 1}]",
                "[{path: }]",
                "[{path: a, weigth: 1}]",
                "[null]",
                "[",
                "!!int 5",
                "*a",
                "'5'",
                "\"5\"",
                "5 # five",
                "- 5",
                "a: b",
                "٣",
                "５",
                "1_",
                "_1",
                "1__0",
                "\n",
                "a\nb",
                "🙂",
                "\"");
        for (String value : odd) {
            Throwable thrown = catchThrowable(() -> assertRoundTrip(Recipe.parse("", key + "=" + value)));
            if (thrown != null) {
                assertThat(thrown)
                        .as(value)
                        .isInstanceOf(RecipeException.class)
                        .message()
                        .startsWith("recipe: ")
                        .contains(
                                thrown.getMessage().contains("not YAML")
                                        ? "line 1"
                                        : key.replaceFirst("label_template.*", "label_template"))
                        .hasLineCount(1)
                        .hasSizeLessThan(500)
                        .doesNotContain("java.", "io.gradus", "fasterxml", "snakeyaml");
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "steps=010|steps is '010'; it must be a whole number without zeros in front; octal begins with 0o",
                "seed=9223372036854775808|seed is '9223372036854775808'; it must be a whole number below 2^63",
                "learning_rate=1d|learning_rate is '1d'; it must be a number",
                "learning_rate=1e999|learning_rate is '1e999'; it must be a number",
                "max_grad_norm=inf|max_grad_norm is 'inf'; it must be a number",
                "max_grad_norm=.nan|max_grad_norm is NaN; it must be above 0; Infinity disables clipping",
                "max_grad_norm=-.inf|max_grad_norm is -Infinity; it must be above 0; Infinity disables clipping",
                "resume=yes|resume is 'yes'; it must be true or false",
                "steps=*o|steps is '*o'; it must be a whole number",
                "steps=[5]|steps is [\"5\"]; it must be a whole number",
                "freeze=[*norm*]|not YAML: unexpected character found *(42); text that begins with * needs quotes (line 1,"
                        + " column 7)",
                "data.sources=[{path: a, weigth: 2}]|unknown key 'data.sources.0.weigth'; known keys are path, weight",
                "data.sources=[{path: a, weight: x}]|data.sources.0.weight is 'x'; it must be a number",
                "sample={max_token: 5}|unknown key 'sample.max_token'; did you mean 'sample.max_tokens'?",
            })
    void wrongValueIsReportedWithItsKeyAndFix(String override, String message) {
        assertThatThrownBy(() -> Recipe.parse("", override)).hasMessage("recipe: " + message);
    }

    @Test
    void keyWithManyDotsIsReportedInOneLine() {
        for (String key : List.of("a", "data", "sample.prompt", "steps", "freeze", "data.sources")) {
            assertThatThrownBy(() -> Recipe.parse("", key + ".x".repeat(20_000) + "=1"))
                    .isInstanceOf(RecipeException.class)
                    .message()
                    .contains(key)
                    .hasSizeLessThan(2000);
        }
    }

    @Test
    void sectionMayBeGivenOnTheCommandLine() {
        assertThat(Recipe.parse("sample: {temperature: 0.5}", "sample={prompt: 'a, b', max_tokens: 3}"))
                .isEqualTo(Recipe.parse("sample: {temperature: 0.5, prompt: 'a, b', max_tokens: 3}"));
    }

    @Test
    void everyExampleOfTheDocumentationWorksInBothPlaces() {
        String sources = "[{path: a.txt, weight: 2}, {path: b.jsonl, weight: 1}]";
        assertThat(Recipe.documentation()).contains(sources);
        assertThat(Recipe.parse("", "data.sources=" + sources).data().sources())
                .isEqualTo(
                        Recipe.parse("data: {sources: " + sources + "}").data().sources())
                .containsExactly(new Recipe.Source(Path.of("a.txt"), 2.0), new Recipe.Source(Path.of("b.jsonl"), 1.0));
        String freeze = "[model.embed_tokens.*, '*norm*']";
        assertThat(Recipe.documentation()).contains(freeze);
        assertThat(Recipe.parse("", "freeze=" + freeze).forgetting().freeze())
                .containsExactly("model.embed_tokens.*", "*norm*");
        assertThat(Recipe.parse("", "momentum=0.5", "nesterov=true", "optimizer=sgd"))
                .isEqualTo(Recipe.parse("{momentum: .5, nesterov: True, optimizer: sgd}"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "\n",
                "a\nb\r\nc\td",
                "null",
                "~",
                "# x",
                "- x",
                "'",
                "\"",
                "\\",
                "a: b",
                "*a",
                "&a",
                "!t",
                "%",
                "\u0000\u0007\u007f\u0085\u00a0\u2028\u2029\uFEFF",
                "😀",
                "{text}",
                "  two  spaces  ",
                "1e3",
                "يونيكود",
            })
    void promptOfAnyCharactersIsWrittenAndReadBack(String prompt) {
        Recipe recipe = Recipe.builder().samplePrompt(prompt.repeat(40)).build();
        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
        recipe = Recipe.builder().samplePrompt(prompt).build();
        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
    }
}

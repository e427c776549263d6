package io.gradus.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every construct of YAML 1.2 in a recipe means what YAML says, or is rejected with its line. */
class YamlTreeTest {

    private static String json(String yaml) {
        return YamlTree.parse(yaml).toString();
    }

    @Test
    void aliasRepeatsTheValueOfItsAnchor() {
        Recipe recipe = Recipe.parse("""
                model: {path: &base my-model}
                output: *base
                sample: {prompt: &p "a: b", max_tokens: &n 7}
                steps: *n
                data: {sources: &s [{path: a.txt, weight: 2}], general: *p}
                """);
        assertThat(recipe.output()).isEqualTo(Path.of("my-model"));
        assertThat(recipe.steps()).isEqualTo(7);
        assertThat(recipe.data().general()).isEqualTo(Path.of("a: b"));
        assertThat(json("a: &x {b: [1, &y 2]}\nc: *x\n? *y\n: d\n"))
                .isEqualTo("{\"a\":{\"b\":[\"1\",\"2\"]},\"c\":{\"b\":[\"1\",\"2\"]},\"2\":\"d\"}");
        assertThat(json("[&a 1, &a 2, *a]")).isEqualTo("[\"1\",\"2\",\"2\"]"); // the latest anchor counts
    }

    @Test
    void mergeKeyAddsTheKeysOfItsMaps() {
        assertThat(json("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n"))
                .isEqualTo("{\"a\":{\"k\":\"1\",\"l\":\"2\"},\"b\":{\"l\":\"3\",\"k\":\"1\"}}");
        assertThat(json("{<<: [{k: 1}, {k: 2, l: 2}], m: 3}")).isEqualTo("{\"m\":\"3\",\"k\":\"1\",\"l\":\"2\"}");
        assertThat(json("{'<<': {k: 1}}")).isEqualTo("{\"<<\":{\"k\":\"1\"}}");
    }

    @Test
    void scalarsOfEveryStyleAreText() {
        assertThat(json(
                        "- plain # comment\n- 'it''s'\n- \"tab\\t \\u00e9 \\U0001F600\"\n- |\n  two\n  lines\n- >-\n  one\n  line\n"
                                + "- !!str 5\n- ! null\n- 'null'\n- \"~\"\n- 2024-01-31\n- 1:30\n- yes\n"))
                .isEqualTo(
                        "[\"plain\",\"it's\",\"tab\\t é 😀\",\"two\\nlines\\n\",\"one line\",\"5\",\"null\",\"null\",\"~\","
                                + "\"2024-01-31\",\"1:30\",\"yes\"]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n", "~", "null", "---\n...\n", "\uFEFF", "%YAML 1.2\n---\n"})
    void emptyDocumentIsNull(String yaml) {
        assertThat(YamlTree.parse(yaml).isNull()).isTrue();
        assertThat(Recipe.parse(yaml)).isEqualTo(Recipe.defaults());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\uFEFFsteps: 5",
                "---\nsteps: 5\n...\n",
                "{steps: 5}",
                "\"steps\": 5",
                "? steps\n: 5\n",
                "steps:\n  5\n",
                "steps: 5\r\n",
                "steps: 5\rseed: 42\r",
                "{\"steps\": 5, \"seed\": 42}",
                "!!map {steps: 5}",
                "'steps': \"5\"",
                "<<: {steps: 5}",
                "steps: !!str 5",
            })
    void keyIsReadFromEachNotation(String yaml) {
        assertThat(Recipe.parse(yaml)).isEqualTo(Recipe.parse("", "steps=5"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`seed: 1\noutput: *o`|the alias *o repeats a value that is marked with &o, and none before it is; text"
                        + " that begins with * needs quotes (line 2, column 9)",
                "`freeze: [*norm*]`|unexpected character found *(42); text that begins with * needs quotes (line 1, column"
                        + " 15)",
                "`data: &d {general: *d}`|the alias *d repeats a value that is marked with &d, and none before it is;"
                        + " text that begins with * needs quotes (line 1, column 20)",
                "`steps: !!int 5`|the tag !!int has no meaning in a recipe; remove it (line 1, column 8)",
                "`output: !file a`|the tag !file has no meaning in a recipe; remove it (line 1, column 9)",
                "`data: !!python/object:os.system {}`|the tag !!python/object:os.system has no meaning in a recipe;"
                        + " remove it (line 1, column 7)",
                "`steps: 1\n---\nseed: 2`|a recipe is one document, and a second one begins here (line 2, column 1)",
                "`steps: 3\nseed: 1\nsteps: 4`|Duplicate field 'steps' (line 3, column 6)",
                "`{<<: {seed: 1}, <<: {seed: 2}}`|Duplicate field '<<' (line 1, column 19)",
                "`{<<: 5}`|<< merges a map or a list of maps (line 1, column 6)",
                "`? [a]\n: 5`|a key must be text (line 1, column 3)",
                "`{a: 1}: 5`|a key must be text (line 1, column 1)",
            })
    void constructWithoutMeaningIsRejectedWithItsPlace(String yaml, String message) {
        assertThatThrownBy(() -> Recipe.parse(yaml))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: not YAML: " + message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\tsteps: 5",
                "data:\n\ttrain: a",
                "steps: [3",
                "steps: {a: 3",
                "a: b: c",
                "steps: 'open",
                "steps: \"\\q\"",
                "steps: @a",
                "steps: `a`",
                "output: a\n b: c",
                "output: \"a\" b",
                "output: a\0b",
                "output: a\u0007",
                "%YAML 3.0\n---\nsteps: 5",
                "&a &b steps: 5",
                "- ]",
            })
    void whatIsNotYamlIsRejectedInOneLine(String yaml) {
        assertThatThrownBy(() -> Recipe.parse(yaml))
                .isInstanceOf(RecipeException.class)
                .message()
                .startsWith("recipe: not YAML: ")
                .hasLineCount(1)
                .hasSizeLessThan(300);
    }

    @Test
    void keyThatIsNoTextIsUnknown() {
        assertThatThrownBy(() -> Recipe.parse("5: 3")).hasMessageStartingWith("recipe: unknown key '5';");
        assertThatThrownBy(() -> Recipe.parse("true: 3")).hasMessageStartingWith("recipe: unknown key 'true';");
        assertThatThrownBy(() -> Recipe.parse("~: 3")).hasMessageStartingWith("recipe: unknown key 'null';");
        assertThatThrownBy(() -> Recipe.parse("? |\n  a\n  b\n: 3"))
                .hasMessageStartingWith("recipe: unknown key 'a b ';");
    }

    @Test
    void deepAndHugeTreesAreRejected() {
        assertThatThrownBy(() -> Recipe.parse("freeze: " + "[".repeat(100_000) + "]".repeat(100_000)))
                .hasMessage("recipe: not YAML: the values are nested more than 20 levels deep (line 1, column 28)");
        assertThatThrownBy(() -> Recipe.parse("{steps: ".repeat(1000)))
                .hasMessageStartingWith("recipe: not YAML: the values are nested more than 20 levels deep");
        StringBuilder laughs = new StringBuilder("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i < 10; i++) {
            laughs.append("a%d: &a%d [".formatted(i, i))
                    .append(("*a" + (i - 1) + ", ").repeat(10))
                    .append("]\n");
        }
        assertThatThrownBy(() -> Recipe.parse(laughs.toString()))
                .hasMessageStartingWith("recipe: not YAML: it has more than 10000 values (line 4");
    }
}

package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigJsonTest {
    @TempDir
    private Path folder;

    private Path file = Path.of("");

    @BeforeEach
    void name() {
        file = folder.resolve("config.json");
    }

    @Test
    void errorsNameTheFileAndTheKey() throws IOException {
        assertThatThrownBy(() -> ConfigJson.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is missing");
        Files.writeString(file, "{\"model_type\": \"gpt2\",");
        assertThatThrownBy(() -> ConfigJson.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is not JSON");
        Files.writeString(file, "[]");
        assertThatThrownBy(() -> ConfigJson.read(folder)).hasMessage(file + " is not an object");
        Files.write(file, new byte[] {'{', '"', (byte) 0xE9, '"', ':', '1', '}'}); // é in ISO 8859-1
        assertThatThrownBy(() -> ConfigJson.read(folder)).hasMessageStartingWith(file + " is not UTF-8");
        ConfigJson json = ConfigJson.parse("{\"width\": \"wide\", \"rope\": {}}");
        assertThatThrownBy(() -> json.integer("width"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("config.json: width is \"wide\", not a whole number");
        assertThatThrownBy(() -> json.number("depth")).hasMessage("config.json: depth is missing");
        assertThatThrownBy(() -> json.object("rope").number("theta")).hasMessage("config.json: rope.theta is missing");
        assertThatThrownBy(() -> json.flag("width", true)).hasMessageContaining("not true or false");
        assertThatThrownBy(() -> json.tokenId("width")).hasMessageContaining("not a token's id");
    }

    /** None of them is read as if the key were missing. */
    @Test
    void valueOfTheWrongKindIsRejected() {
        ConfigJson json = ConfigJson.parse("""
            {"number": 4, "text": "linear", "list": ["a", 1], "object": {"type": ["yarn"], "inner": 3}, "flag": true}\
            """);
        for (String key : List.of("number", "text", "list", "flag")) {
            assertThatThrownBy(() -> json.object(key))
                    .hasMessageMatching("config.json: " + key + " is .*, not an object");
        }
        assertThatThrownBy(() -> json.object("object").object("inner"))
                .hasMessage("config.json: object.inner is 3, not an object");
        assertThatThrownBy(() -> json.text("number", "")).hasMessage("config.json: number is 4, not a text");
        assertThatThrownBy(() -> json.object("object").text("type", ""))
                .hasMessage("config.json: object.type is [\"yarn\"], not a text");
        assertThatThrownBy(() -> json.texts("text")).hasMessage("config.json: text is \"linear\", not a list of texts");
        assertThatThrownBy(() -> json.texts("list")).hasMessage("config.json: list is [\"a\",1], not a list of texts");
    }

    @Test
    void halfASurrogatePairIsRejected() {
        ConfigJson json =
                ConfigJson.parse("{\"text\": \"a\\ud800\", \"list\": [\"\\udc00\"], \"whole\": \"\\ud83d\\ude00\"}");
        assertThatThrownBy(() -> json.text("text", ""))
                .hasMessage("config.json: text has half a surrogate pair, which is no character");
        assertThatThrownBy(() -> json.texts("list"))
                .hasMessage("config.json: list has half a surrogate pair, which is no character");
        assertThat(json.text("whole", "")).isEqualTo("\ud83d\ude00");
    }

    @Test
    void missingAndNullKeysGiveTheFallback() {
        ConfigJson json = ConfigJson.parse("{\"a\": null}");
        for (String key : new String[] {"a", "b"}) {
            assertThat(json.has(key)).isFalse();
            assertThat(json.integer(key, 3)).isEqualTo(3);
            assertThat(json.number(key, 0.5)).isEqualTo(0.5);
            assertThat(json.flag(key, true)).isTrue();
            assertThat(json.text(key, "x")).isEqualTo("x");
            assertThat(json.texts(key)).isEmpty();
            assertThat(json.tokenId(key)).isNull();
        }
    }

    @Test
    void unreadKeysListsSettingsThatNoGetterRead() {
        ConfigJson json = ConfigJson.parse("""
            {"hidden_size": 8, "logit_scale": 2.5, "use_qk_norm": true, "off": false, "zero": 0, "none": null, "empty": [],
             "known": 7, "transformers_version": "4.50", "eos_token_id": 2}\
            """);
        json.integer("hidden_size");
        json.ignore("known");
        assertThat(json.unreadKeys()).containsExactly("logit_scale", "use_qk_norm");
    }

    @Test
    void setKeysSurviveJson() {
        ConfigJson json = new ConfigJson()
                .set("size", 3)
                .set("name", "a \"b\"")
                .set("list", List.of("x", "y"))
                .set("none", null)
                .set("inner", new ConfigJson().set("eps", 1e-5));
        ConfigJson read = ConfigJson.parse(json.toString());
        assertThat(read.integer("size")).isEqualTo(3);
        assertThat(read.text("name", "")).isEqualTo("a \"b\"");
        assertThat(read.texts("list")).containsExactly("x", "y");
        assertThat(read.has("none")).isFalse();
        assertThat(read.object("inner").number("eps")).isEqualTo(1e-5);
    }
}

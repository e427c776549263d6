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
        ConfigJson json = ConfigJson.parse("{\"width\": \"wide\", \"rope\": {}}");
        assertThatThrownBy(() -> json.integer("width"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("config.json: width is \"wide\", not a whole number");
        assertThatThrownBy(() -> json.number("depth")).hasMessage("config.json: depth is missing");
        assertThatThrownBy(() -> json.object("rope").number("theta")).hasMessage("config.json: rope.theta is missing");
        assertThatThrownBy(() -> json.flag("width", true)).hasMessageContaining("not true or false");
        assertThatThrownBy(() -> json.tokenId("width")).hasMessageContaining("not a token's id");
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

package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.ConfigKey.Use;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;

/** The tables in {@code docs/models.md} are those of the families. */
class ModelsDocumentTest {
    private static final Path DOCUMENT = Path.of("../docs/models.md");
    private static final String BEGIN =
            "<!-- The tables below are made from the code; ModelsDocumentTest compares them. -->";

    @Test
    void documentHasTheTablesOfTheFamilies() throws IOException {
        String document = Files.readString(DOCUMENT);
        String head = document.substring(0, document.indexOf(BEGIN));
        String expected = head + tables();
        if (!document.equals(expected)) {
            Path corrected = Files.createDirectories(Path.of("target")).resolve("models.md");
            Files.writeString(corrected, expected);
            assertThat(document)
                    .as("docs/models.md is not what the tables say; nn/target/models.md is, copy it over")
                    .isEqualTo(expected);
        }
    }

    private static String tables() {
        StringBuilder text = new StringBuilder(BEGIN + "\n");
        Map<String, String> families = new LinkedHashMap<>();
        families.put("Llama", "llama");
        families.put("Mistral", "mistral");
        families.put("Qwen2", "qwen2");
        families.put("Qwen3", "qwen3");
        families.put("Gemma 2", "gemma2");
        families.put("Gemma 3, for text", "gemma3_text");
        families.put("Phi-3", "phi3");
        families.put("OLMo 2", "olmo2");
        families.put("SmolLM3", "smollm3");
        families.put("Granite 3", "granite");
        families.put("GPT-2", "gpt2");
        families.put("GPT-NeoX", "gpt_neox");
        families.put("BERT", "bert");
        families.put("RoBERTa", "roberta");
        families.put("XLM-RoBERTa", "xlm-roberta");
        families.put("DistilBERT", "distilbert");
        families.put("ModernBERT", "modernbert");
        assertThat(families.values()).containsAll(ConfigTableTest.families().toList());
        families.forEach((title, type) -> {
            text.append("\n## ")
                    .append(title)
                    .append(": `model_type: ")
                    .append(type)
                    .append("`\n");
            List<ConfigKey> keys =
                    ModelFamily.of(new ConfigJson().set("model_type", type)).keys(type);
            table(text, "Honored key", "Meaning", keys, Use.HONORED);
            table(text, "Harmless key", "Why it changes nothing", keys, Use.HARMLESS);
            table(text, "Rejected key", "Why", keys, Use.REJECTED);
        });
        text.append("\n## Keys of every family that change nothing\n\n");
        Map<String, StringJoiner> byMeaning = new LinkedHashMap<>();
        for (ConfigKey key : ConfigKey.COMMON) {
            byMeaning
                    .computeIfAbsent(key.meaning(), _ -> new StringJoiner("`, `", "`", "`"))
                    .add(key.name());
        }
        byMeaning.forEach((meaning, names) ->
                text.append("- ").append(meaning).append(": ").append(names).append("\n"));
        return text.toString();
    }

    private static void table(StringBuilder text, String title, String second, List<ConfigKey> keys, Use use) {
        text.append("\n| ").append(title).append(" | ").append(second).append(" |\n| --- | --- |\n");
        for (ConfigKey key : keys) {
            if (key.use() == use) {
                String accepted = key.accepted() == null ? "" : "; `" + key.accepted() + "` is accepted";
                text.append("| `").append(key.name()).append("` | ");
                text.append(key.meaning()).append(accepted).append(" |\n");
            }
        }
    }
}

package io.gradus.train.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelfileTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void writeModel() throws IOException {
        Llama model = new Llama(LlamaConfig.of(257, 16, 24, 1, 2, 2, 300), WeightSource.random(Device.cpu(1), 1));
        Files.writeString(folder.resolve("config.json"), model.config().toJson().toString());
        new ByteTokenizer().save(folder);
    }

    private void template(String jinja) throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), jinja);
    }

    @Test
    void fileNamesTheWeightsTheContextTheEndsAndTheTemplate() throws IOException {
        template("""
                {%- for m in messages %}
                {%- if loop.first and m.role != 'system' %}<system>Be kind.</system>{% endif -%}
                <{{ m.role }}>{{ m.content | trim }}</{{ m.role }}>
                {%- endfor %}
                {%- if add_generation_prompt %}<assistant>{% endif %}""");
        Modelfile.beside(folder, folder.resolve("tuned.gguf")).write();
        assertThat(folder.resolve("Modelfile")).hasContent("""
                        # ollama create my-model -f Modelfile
                        FROM ./tuned.gguf
                        PARAMETER num_ctx 300
                        PARAMETER stop "<|endoftext|>"
                        TEMPLATE \"""{{ if .System }}<system>{{ .System }}</system>{{ else }}<system>Be kind.</system>{{ end }}\
                        {{ range .Messages }}{{ if eq .Role "user" }}<user>{{ .Content }}</user>\
                        {{ else if eq .Role "assistant" }}<assistant>{{ .Content }}</assistant>{{ end }}{{ end }}<assistant>\"""
                        """);
    }

    @Test
    void generationPromptMayDifferFromTheHeaderOfEarlierAnswers() throws IOException {
        template("{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
                + "{% if add_generation_prompt %}[assistant]<think></think>{% endif %}");
        assertThat(Modelfile.in(folder).template())
                .contains("{{ if .System }}[system]{{ .System }}<|endoftext|>{{ end }}{{ range .Messages }}"
                        + "{{ if eq .Role \"user\" }}[user]{{ .Content }}<|endoftext|>{{ else if eq .Role \"assistant\" }}"
                        + "[assistant]{{ .Content }}<|endoftext|>{{ end }}{{ end }}[assistant]<think></think>");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for m in messages %}{{ loop.index }} {{ m.role }}: {{ m.content }}\n{% endfor %}assistant:",
                "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
                        + "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>",
                "{{ messages[-1].content }}",
                "{% for m in messages %}{{ '{{' }}{{ m.role }}}}{{ m.content }}{% endfor %}{{ '{{' }}assistant}}"
            })
    void templateThatDoesMoreThanWrapMessagesIsNotTranslated(String jinja) throws IOException {
        template(jinja);
        Modelfile modelfile = Modelfile.in(folder);
        assertThat(modelfile.template()).isEmpty();
        assertThat(modelfile.hasChatTemplate()).isTrue();
        assertThat(modelfile.toString()).contains("FROM .\n").doesNotContain("TEMPLATE");
    }
}

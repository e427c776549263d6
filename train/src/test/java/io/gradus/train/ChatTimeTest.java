package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run whose chat template writes the time resumes with the text that it began with, on any later day. */
class ChatTimeTest {
    private static final String TEMPLATE = "{{ strftime_now('%A %d %b %Y %H:%M:%S.%f') }}{% for m in messages %}"
            + "[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}.{% endgeneration %}"
            + "{% else %}{{ m.content }}{% endif %}{% endfor %}";

    @TempDir
    private Path folder;

    private Recipe recipe = Recipe.defaults();
    private Path state = Path.of("");
    private byte[] whole = new byte[0];

    @BeforeEach
    void train() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 16, 24, 1, 2, 1, 128));
        Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
        String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"},"
                + " {\"role\": \"assistant\", \"content\": \"yes\"}]}\n";
        Path data = Files.writeString(folder.resolve("chat.jsonl"), chat.repeat(8));
        Path output = folder.resolve("out");
        recipe = Recipe.builder()
                .model(model)
                .train(data)
                .output(output)
                .build()
                .with(
                        "data.eval=" + data,
                        "steps=4",
                        "save_steps=2",
                        "batch_size=2",
                        "learning_rate=0.02",
                        "check_first_loss=false",
                        "sample.max_tokens=0",
                        "resume=true");
        new FineTuning(recipe).run();
        whole = Files.readAllBytes(output.resolve("model.safetensors"));
        state = output.resolve("checkpoints/step-000002/state.json");
        Files.delete(output.resolve("model.safetensors"));
    }

    private byte[] resume(String... keys) throws IOException {
        assertThat(new FineTuning(recipe.with(keys)).run().steps()).isEqualTo(4);
        return Files.readAllBytes(folder.resolve("out/model.safetensors"));
    }

    @Test
    void resumedRunHasTheTextOfItsBeginning() throws IOException {
        assertThat(resume()).isEqualTo(whole);
    }

    @Test
    void checkpointWithoutTheTimeIsRejectedUnlessChangesAreAccepted() throws IOException {
        String saved = Files.readString(state);
        String without = saved.replaceFirst("(?m),?\\s*\"time of the first step\" : \"[^\"]+\"", "");
        assertThat(without).isNotEqualTo(saved);
        Files.writeString(state, without);
        assertThatThrownBy(this::resume)
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("the chat template writes the time, and the checkpoint does not say when");
        assertThat(resume("accept_changed_inputs=true")).isNotEqualTo(whole);
    }

    @Test
    void damagedTimeIsNamed() throws IOException {
        Files.writeString(state, Files.readString(state).replaceFirst("(first step\" : \")[^\"]+", "$1yesterday"));
        assertThatThrownBy(this::resume).hasMessageContaining("the run began at 'yesterday', which is not a time");
    }
}

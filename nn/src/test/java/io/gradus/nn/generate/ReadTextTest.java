package io.gradus.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.Given;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.phi3.Phi3;
import io.gradus.nn.model.phi3.Phi3Config;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReadTextTest {
    private static final TextGeneration GENERATION = new TextGeneration(Sampling.GREEDY, 5, Set.of(), true);

    private final Llama model = Given.randomized(new Llama(LlamaConfig.of(11, 12, 20, 2, 3, 3, 40), Given.weights()));

    private int[] fresh(int... prompt) {
        return GENERATION.generate(model, prompt, _ -> {}).ids();
    }

    private static int[] concat(int[] first, int... second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    @Test
    void continuedTextIsThatOfAModelWhichReadsAllOfItAgain() {
        try (ReadText read = new ReadText(model)) {
            int[] text = {1, 2, 3};
            for (int turn = 0; turn < 3; turn++) {
                int[] written = GENERATION.generate(read, text, _ -> {}).ids();
                assertThat(written).isEqualTo(fresh(text));
                text = concat(concat(text, written), 7, turn);
                assertThat(read.length()).as("all but the last token").isEqualTo(text.length - 3);
            }
        }
    }

    @Test
    void onlyWhatTextsHaveInCommonIsKept() {
        try (ReadText read = new ReadText(model)) {
            GENERATION.generate(read, new int[] {1, 2, 3, 4, 5}, _ -> {});
            for (int[] prompt : new int[][] {{1, 2, 9, 4}, {1, 2}, {1, 2}, {5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}) {
                assertThat(GENERATION.generate(read, prompt, _ -> {}).ids()).isEqualTo(fresh(prompt));
            }
            read.clear();
            assertThat(read.length()).isZero();
            assertThat(GENERATION.generate(read, new int[] {3, 1}, _ -> {}).ids())
                    .isEqualTo(fresh(3, 1));
        }
    }

    @Test
    void interruptedTextDoesNotChangeTheNext() {
        try (ReadText read = new ReadText(model)) {
            GENERATION.generate(read, new int[] {1, 2, 3, 4}, _ -> {});
            assertThatThrownBy(() -> GENERATION.generate(read, new int[] {1, 2, 8, 8}, _ -> {
                        throw new IllegalStateException("stop");
                    }))
                    .hasMessage("stop");
            int[] prompt = {1, 2, 3, 4, 5};
            assertThat(GENERATION.generate(read, prompt, _ -> {}).ids()).isEqualTo(fresh(prompt));
        }
    }

    /** Phi-3 with longrope: the keys of all tokens change when a text becomes longer than 8 tokens. */
    @Test
    void textIsReadAgainWhenItsKeysChange() {
        Phi3Config config = Phi3Config.read(ConfigJson.parse("""
                        {"model_type": "phi3", "vocab_size": 11, "hidden_size": 16,
                        "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2, "pad_token_id": null,
                        "max_position_embeddings": 40, "original_max_position_embeddings": 8, "rope_scaling":
                        {"type": "longrope", "short_factor": [1, 1, 1, 2], "long_factor": [1, 3, 9, 27]}}
                        """));
        Phi3 phi3 = Given.randomized(new Phi3(config, Given.weights()));
        TextGeneration again = new TextGeneration(Sampling.GREEDY, 7, Set.of(), false);
        TextGeneration cached = new TextGeneration(Sampling.GREEDY, 7, Set.of(), true);
        try (ReadText read = new ReadText(phi3)) {
            for (int length : new int[] {3, 10, 4, 8, 9, 2}) {
                int[] prompt = IntStream.rangeClosed(1, length).map(i -> i % 11).toArray();
                int[] expected = again.generate(phi3, prompt, _ -> {}).ids();
                assertThat(cached.generate(phi3, prompt, _ -> {}).ids()).isEqualTo(expected);
                assertThat(cached.generate(read, prompt, _ -> {}).ids()).isEqualTo(expected);
            }
        }
    }
}

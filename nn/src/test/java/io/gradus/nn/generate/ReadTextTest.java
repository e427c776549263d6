package io.gradus.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.Given;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
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
}

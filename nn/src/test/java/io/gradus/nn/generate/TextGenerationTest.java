package io.gradus.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.TextGeneration.End;
import io.gradus.nn.generate.TextGeneration.Result;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextGenerationTest {
    private static final int CONTEXT = 10;

    /** A model that predicts n + 1 after id n. */
    private static final class Counting extends LanguageModel {
        private boolean trainingWhileReading;
        private boolean recordingWhileReading;

        /** The logits; the output layer is the identity. */
        @Override
        public Variable hiddenStates(Input input) {
            trainingWhileReading |= isTraining();
            recordingWhileReading |= Autograd.isRecording();
            int[] ids = input.ids().toInts();
            float[] logits = new float[ids.length * 100];
            for (int i = 0; i < ids.length; i++) {
                logits[i * 100 + ids[i] + 1] = 1;
            }
            return Variable.constant(Tensor.of(logits, 1, ids.length, 100));
        }

        @Override
        public Variable lmHeadWeight() {
            float[] identity = new float[100 * 100];
            for (int i = 0; i < 100; i++) {
                identity[i * 101] = 1;
            }
            return Variable.constant(Tensor.of(identity, 100, 100));
        }

        @Override
        public ModelConfig config() {
            return new CountingConfig();
        }
    }

    private record CountingConfig() implements ModelConfig {
        @Override
        public int vocabSize() {
            return 100;
        }

        @Override
        public int hiddenSize() {
            return 1;
        }

        @Override
        public int numHiddenLayers() {
            return 1;
        }

        @Override
        public int maxPositionEmbeddings() {
            return CONTEXT;
        }

        @Override
        public LanguageModel build(WeightSource weights) {
            return new Counting();
        }

        @Override
        public ConfigJson toJson() {
            return new ConfigJson();
        }
    }

    private static Result generate(int maxTokens, Set<Integer> stop, int... prompt) {
        return new TextGeneration(Sampling.GREEDY, maxTokens, stop, false).generate(new Counting(), prompt, _ -> {});
    }

    // ---- the end of generation ----

    @Test
    void generatesMaxTokens() {
        Result result = generate(3, Set.of(), 5);
        assertThat(result.ids()).containsExactly(6, 7, 8);
        assertThat(result.end()).isEqualTo(End.MAX_TOKENS);
        assertThat(generate(0, Set.of(), 5).ids()).isEmpty();
    }

    @Test
    void stopsAtAStopTokenWithoutReturningIt() {
        Result result = generate(9, Set.of(60, 8), 5);
        assertThat(result.ids()).containsExactly(6, 7);
        assertThat(result.end()).isEqualTo(End.STOP);
        assertThat(generate(9, Set.of(6), 5).ids()).isEmpty();
        assertThat(generate(2, Set.of(5), 4, 5).ids())
                .as("a stop token in the prompt")
                .containsExactly(6, 7);
    }

    @Test
    void endsWhenTheContextIsFull() {
        Result result = generate(50, Set.of(), 1, 2, 3, 4, 5, 6, 7);
        assertThat(result.ids()).as("the last is chosen from a full context").containsExactly(8, 9, 10, 11);
        assertThat(result.end()).isEqualTo(End.CONTEXT_FULL);
        Result full = generate(50, Set.of(), new int[CONTEXT]);
        assertThat(full.ids()).containsExactly(1);
        assertThat(full.end()).isEqualTo(End.CONTEXT_FULL);
        assertThat(generate(1, Set.of(), new int[CONTEXT]).end()).isEqualTo(End.MAX_TOKENS);
        assertThat(generate(Integer.MAX_VALUE, Set.of(), new int[CONTEXT]).end())
                .isEqualTo(End.CONTEXT_FULL);
    }

    // ---- evaluation mode and callbacks ----

    @Test
    void onTokenReceivesEachTokenAtOnce() {
        List<Integer> received = new ArrayList<>();
        new TextGeneration(Sampling.GREEDY, 3, Set.of(), false).generate(new Counting(), new int[] {1}, received::add);
        assertThat(received).containsExactly(2, 3, 4);
    }

    @Test
    void generatesInEvalModeWithoutGradientsAndRestoresTheMode() {
        Counting model = new Counting();
        model.train();
        var generation = new TextGeneration(Sampling.GREEDY, 2, Set.of(), false);
        generation.generate(model, new int[] {1}, _ -> {});
        assertThat(model.trainingWhileReading).isFalse();
        assertThat(model.recordingWhileReading).isFalse();
        assertThat(model.isTraining()).isTrue();
        assertThatThrownBy(() -> generation.generate(model, new int[] {1}, _ -> {
                    throw new IllegalStateException("listener");
                }))
                .hasMessage("listener");
        assertThat(model.isTraining()).as("after a failure").isTrue();
        assertThat(Autograd.isRecording()).isTrue();
    }

    @Test
    void emptyOrTooLongPromptIsRejected() {
        assertThatThrownBy(() -> generate(1, Set.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the prompt has no tokens");
        assertThatThrownBy(() -> generate(1, Set.of(), new int[CONTEXT + 1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has 11 tokens and the model's context has 10");
        assertThatThrownBy(() -> generate(-1, Set.of(), 1)).hasMessageContaining("max-tokens is -1");
    }

    // ---- the cache ----

    @ParameterizedTest
    @ValueSource(doubles = {0, 1})
    void cacheDoesNotChangeTheText(double temperature) {
        Llama model = Given.randomized(new Llama(LlamaConfig.of(50, 12, 20, 2, 6, 2, 40), Given.weights()));
        Sampling sampling = new Sampling(temperature, 0, 1, 3);
        int[] prompt = {1, 2, 3};
        int[] with = new TextGeneration(sampling, 60, Set.of(), true)
                .generate(model, prompt, _ -> {})
                .ids();
        int[] without = new TextGeneration(sampling, 60, Set.of(), false)
                .generate(model, prompt, _ -> {})
                .ids();
        assertThat(with).isEqualTo(without).hasSize(38); // until the context of 40 is full
    }

    // ---- logits ----

    static Stream<ModelConfig> configs() {
        LlamaConfig tied = LlamaConfig.of(5000, 12, 20, 1, 6, 2, 400);
        return Stream.of(
                tied,
                LlamaConfig.read(tied.toJson().set("tie_word_embeddings", false)),
                Gpt2Config.of(5000, 12, 1, 6, 400));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void nextLogitsAreTheLastRowsOfAllLogits(ModelConfig config) {
        LanguageModel model = config.build(Given.weights());
        Input input = Input.of(Given.ids(2, 1, 2, 3, 4, 5, 6));
        assertThat(model.nextLogits(input).shape()).isEqualTo(Shape.of(2, 5000));
        float[] all = model.forward(input).value().toFloats();
        float[] next = model.nextLogits(input).value().toFloats();
        for (int i = 0; i < 5000; i++) {
            assertThat(next[i]).isCloseTo(all[2 * 5000 + i], within(1e-5f));
            assertThat(next[5000 + i]).isCloseTo(all[5 * 5000 + i], within(1e-5f));
        }
    }

    /** Those of the whole prompt would take 7.6 MB. */
    @ParameterizedTest
    @MethodSource("configs")
    void promptTakesNoMemoryForLogitsThatNothingReads(ModelConfig config) {
        Device device = Device.cpu(1);
        LanguageModel model = config.build(WeightSource.random(device, 1));
        MemoryLedger memory = device.backend().memory();
        for (boolean cache : new boolean[] {true, false}) {
            long before = memory.live();
            memory.resetPeak();
            new TextGeneration(Sampling.GREEDY, 2, Set.of(), cache).generate(model, new int[380], _ -> {});
            assertThat(memory.peak() - before).as("cache " + cache).isLessThan(1_000_000);
        }
    }

    @Test
    void differentSeedsGenerateDifferentTexts() {
        Llama model = new Llama(LlamaConfig.of(50, 12, 20, 2, 6, 2, 40), Given.weights());
        assertThat(sampled(model, 1)).isEqualTo(sampled(model, 1)).isNotEqualTo(sampled(model, 2));
    }

    private static int[] sampled(Llama model, long seed) {
        return new TextGeneration(new Sampling(1, 0, 1, seed), 20, Set.of(), true)
                .generate(model, new int[] {1}, _ -> {})
                .ids();
    }
}

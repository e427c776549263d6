package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Results and gradients are compared with transformers in {@code ConfigTableTest}. */
class SlidingWindowTest {
    @Test
    void layerTypesGiveTheWindowOfEachLayer() {
        List<String> types = List.of("sliding_attention", "full_attention", "sliding_attention", "sliding_attention");
        SlidingWindow window = SlidingWindow.of(3, types, 4);
        assertThat(IntStream.range(0, 5).map(window::sizeOf)).containsExactly(3, 0, 3, 3, 3);
        assertThat(window.layerTypes(4)).isEqualTo(types);
        assertThat(SlidingWindow.where(layer -> layer != 1, 3, 4)).isEqualTo(window);
        assertThat(SlidingWindow.where(_ -> false, null, 4)).isEqualTo(SlidingWindow.NONE);
    }

    @Test
    void generatedTokensHaveTheLogitsOfTheWholeText() {
        ConfigJson json = LlamaConfig.of(11, 12, 20, 3, 6, 2, 16)
                .toJson()
                .set("model_type", "mistral")
                .set("sliding_window", 3);
        Llama model = Given.randomized(new Llama(LlamaConfig.read(json), Given.weights()));
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
        float[] whole = logits(model, Input.of(Tensor.of(ids, 1, ids.length)));
        KeyValueCache cache = model.newCache(ids.length);
        int done = 0;
        for (int count : new int[] {2, 1, 3, 1, 1}) {
            Tensor next = Tensor.of(Arrays.copyOfRange(ids, done, done + count), 1, count);
            float[] part = logits(model, Autograd.noGrad(() -> Input.next(next, cache)));
            for (int i = 0; i < part.length; i++) {
                assertThat(part[i]).isCloseTo(whole[done * 11 + i], within(1e-4f));
            }
            done += count;
        }
    }

    private static float[] logits(Llama model, Input input) {
        Variable logits = Autograd.noGrad(() -> model.forward(input));
        return logits.value().toFloats();
    }
}

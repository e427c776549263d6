package io.gradus.nn.model.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel.Input;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Results and gradients are compared with transformers in {@code ConfigTableTest}. */
class SlidingWindowTest {
    private static final SlidingWindow THREE = new SlidingWindow(3, 0, Set.of());

    private static int[] starts(SlidingWindow window, Input input) {
        Tensor starts = window.limit(input).documentStarts();
        return starts == null ? new int[0] : starts.toInts();
    }

    @Test
    void tokenAttendsToTheLastTokensOfItsDocument() {
        Tensor ids = Given.ids(2, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5);
        assertThat(starts(THREE, Input.of(ids))).containsExactly(0, 0, 0, 1, 2, 0, 0, 0, 1, 2);
        Input packed = Input.packed(
                ids, Given.ids(2, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0), Given.ids(2, 0, 0, 2, 2, 2, 0, 0, 0, 0, 4));
        assertThat(starts(THREE, packed)).containsExactly(0, 0, 2, 2, 2, 0, 0, 0, 1, 4);
    }

    @Test
    void windowThatIsNotShorterThanTheTextCostsNothing() {
        Input input = Input.of(Given.ids(1, 1, 2, 3));
        assertThat(THREE.limit(input)).isSameAs(input);
        assertThat(SlidingWindow.NONE.limit(Input.of(Given.ids(1, 1, 2, 3, 4))))
                .extracting(Input::documentStarts)
                .isNull();
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

    @Test
    void planningOnTheMetaDeviceWorks() {
        Tensor ids = Tensor.of(Device.meta(), new int[5], 1, 5);
        assertThat(THREE.limit(Input.of(ids)).documentStarts()).isNotNull();
    }
}

package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.data.Batches;
import io.gradus.data.Blocks;
import io.gradus.data.LabelTemplate;
import io.gradus.data.LabeledText;
import io.gradus.data.Packing;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.ParameterGroups;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LabelAccuracyTest {
    private static final ByteTokenizer BYTES = new ByteTokenizer();
    private static final LabelTemplate TEMPLATE = new LabelTemplate("{text}:", "{label}");

    private static LanguageModel model() {
        LlamaConfig config = LlamaConfig.of(257, 16, 24, 1, 2, 1, 16);
        return new Llama(config, WeightSource.random(Device.cpu(), 7));
    }

    /** A text with more a than b is "up", otherwise "down". */
    private static List<LabeledText> texts() {
        List<LabeledText> texts = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            StringBuilder text = new StringBuilder();
            for (int bit = 0; bit < 5; bit++) {
                text.append((i >> bit & 1) == 1 ? 'a' : 'b');
            }
            texts.add(new LabeledText(text.toString(), Integer.bitCount(i) > 2 ? "up" : "down"));
        }
        return texts;
    }

    /** Each candidate by itself: the label whose text and end are the most likely. */
    private static int correctOneByOne(LanguageModel model) {
        int correct = 0;
        for (LabeledText text : texts()) {
            double up = loss(model, text.text(), "up");
            double down = loss(model, text.text(), "down");
            correct += text.label().equals(up < down ? "up" : "down") ? 1 : 0;
        }
        return correct;
    }

    private static double loss(LanguageModel model, String text, String label) {
        Blocks blocks =
                Blocks.pack(List.of(TEMPLATE.of(new LabeledText(text, label))), BYTES, 16, Packing.DOCUMENTS, null);
        return Evaluator.loss(model, blocks, 1, 1) * blocks.counted();
    }

    @Test
    void accuracyPredictsTheMostLikelyLabelAndRisesWithTraining() {
        LanguageModel model = model();
        LabelAccuracy before = LabelAccuracy.of(model, BYTES, texts(), TEMPLATE, 7);
        assertThat(before).isEqualTo(new LabelAccuracy(correctOneByOne(model), 32));

        Blocks blocks = Blocks.pack(texts().stream().map(TEMPLATE::of).toList(), BYTES, 16, Packing.DOCUMENTS, null);
        Batches batches = new Batches(blocks, 8, 1, true);
        var optimizer = new AdamW(
                ParameterGroups.withWeightDecay(model.parameters(), 0), 0.01, new Adam.Settings(0.9, 0.99, 1e-8));
        model.train();
        for (int step = 0; step < 150; step++) {
            Batches.Batch batch = batches.batch(step, model.device());
            optimizer.zeroGrad();
            Variable loss = model.forward(batch.input()).crossEntropy(batch.targets());
            loss.backwardAndRelease();
            optimizer.step();
        }
        LabelAccuracy after = LabelAccuracy.of(model, BYTES, texts(), TEMPLATE, 64);
        assertThat(after.value()).isGreaterThan(0.9).isGreaterThan(before.value());
        assertThat(after).isEqualTo(new LabelAccuracy(correctOneByOne(model), 32));
        assertThat(after).isEqualTo(LabelAccuracy.of(model, BYTES, texts(), TEMPLATE, 3));
    }

    @Test
    void longTextLosesItsBeginning() {
        LanguageModel model = model();
        List<LabeledText> texts = List.of(new LabeledText("x".repeat(50), "up"), new LabeledText("y", "down"));
        assertThat(LabelAccuracy.of(model, BYTES, texts, TEMPLATE, 4).total()).isEqualTo(2);
    }

    @Test
    void singleLabelIsRejected() {
        assertThatThrownBy(() -> LabelAccuracy.of(model(), BYTES, List.of(new LabeledText("a", "up")), TEMPLATE, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[up]");
        assertThatThrownBy(() -> LabelAccuracy.of(model(), BYTES, texts(), TEMPLATE, 0))
                .hasMessageContaining("batch_size is 0");
        assertThat(new LabelAccuracy(3, 8)).hasToString("37.50 % (3 of 8 texts)");
    }
}

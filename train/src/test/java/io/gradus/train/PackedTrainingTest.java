package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.data.Document;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Packing;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** From examples to gradients: packed they are what they are one to a row. */
class PackedTrainingTest {

    static Stream<LanguageModel> models() {
        return Stream.of(
                new Llama(LlamaConfig.of(257, 16, 24, 2, 4, 2, 64), WeightSource.random(Device.cpu(), 7)),
                new Gpt2(Gpt2Config.of(257, 16, 2, 4, 64), WeightSource.random(Device.cpu(), 7)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void packedDocumentsGiveTheLossAndGradientsOfSeparateRows(LanguageModel model) {
        List<Document> documents = IntStream.range(0, 9)
                .<Document>mapToObj(i -> new PromptCompletion("question " + "?".repeat(i), " answer".repeat(1 + i % 3)))
                .toList();
        Map<String, double[]> packed = new HashMap<>();
        Blocks blocks = Blocks.pack(documents, new ByteTokenizer(), 64, Packing.DOCUMENTS, null);
        assertThat(blocks.size()).isLessThan(9);
        double loss = add(model, blocks, packed);

        Map<String, double[]> single = new HashMap<>();
        double sum = 0;
        long counted = 0;
        for (Document document : documents) {
            Blocks alone = Blocks.pack(List.of(document), new ByteTokenizer(), 64, Packing.DOCUMENTS, null);
            sum += add(model, alone, single);
            counted += alone.counted();
        }
        assertThat(blocks.counted()).isEqualTo(counted);
        assertThat(loss / counted).isCloseTo(sum / counted, within(1e-5));
        assertThat(Evaluator.loss(model, blocks, 100, 2)).isCloseTo(sum / counted, within(1e-5));
        packed.forEach((name, gradient) -> {
            double largest = Stream.of(gradient)
                    .flatMapToDouble(Arrays::stream)
                    .map(Math::abs)
                    .max()
                    .orElseThrow();
            assertThat(gradient).as(name).containsExactly(single.get(name), within(1e-5 * largest));
        });
    }

    private static double add(LanguageModel model, Blocks blocks, Map<String, double[]> gradients) {
        Batches batches = new Batches(blocks, 3, 0, false);
        double sum = 0;
        for (int i = 0; i < batches.batchesPerEpoch(); i++) {
            model.parameters().forEach(Variable::clearGrad);
            Batch batch = batches.batch(i, model.device());
            Variable loss =
                    model.forward(batch.input()).crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM));
            loss.backward();
            sum += loss.item();
            model.namedParameters()
                    .forEach((name, parameter) -> gradients.merge(
                            name,
                            parameter.grad().toDoubles(),
                            (a, b) -> IntStream.range(0, a.length)
                                    .mapToDouble(j -> a[j] + b[j])
                                    .toArray()));
        }
        return sum;
    }
}

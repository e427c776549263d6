package io.gradus.nn.model.gemma;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.nn.Activation;
import io.gradus.nn.Given;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GemmaEmbeddingTest {
    private static final DecoderSettings SETTINGS = new DecoderSettings(
            2,
            3072,
            1,
            1,
            1,
            1,
            2,
            Activation.GELU_TANH,
            8,
            1e-6,
            new Rope(10_000, null, 2),
            true,
            0,
            SlidingWindow.NONE,
            null,
            0.02);

    /** Of hidden size 3,072 it is 55.4256, and 55.5 in BF16, as the comment in the class of transformers says. */
    @ParameterizedTest
    @CsvSource({"F32, 55.42562484741211", "BF16, 55.5"})
    void scaleIsTheRootOfTheWidthInTheDtypeOfTheTable(DType dtype, double scale) {
        WeightSource weights = Given.weights().to(dtype);
        GemmaEmbedding embedding = new GemmaEmbedding(weights, SETTINGS);
        double row = embedding.weight().value().toDoubles()[3072];
        double embedded = embedding.forward(Given.ids(1, 1)).value().toDoubles()[0];
        Tensor product = Tensor.of(new float[] {(float) (row * (float) scale)}, 1);
        assertThat(embedded).isEqualTo(product.to(dtype).item());
    }
}

package io.gradus.bench.cases;

import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.libtorch.TorchGpt2;
import io.gradus.bench.libtorch.TorchLlama;
import io.gradus.bench.libtorch.TorchModel;
import io.gradus.bench.libtorch.TorchTraining;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The networks to train, with random weights, on a batch of random tokens that is the same at every step. */
public enum Network {
    /** GPT-2 "small" (124M). */
    GPT2,
    /** A Llama with 15M parameters and the shape of stories15M. */
    LLAMA,
    /** A Llama with 260K parameters and the shape of stories260K. */
    STORIES260K,
    /** A Llama with 135M parameters and the shape of SmolLM2-135M. */
    SMOLLM2;

    public static final double LEARNING_RATE = 1e-4;
    public static final double WEIGHT_DECAY = 0.01;

    private static final Gpt2Config GPT2_CONFIG = Gpt2Config.of(50_257, 768, 12, 12, 1024);
    private static final LlamaConfig LLAMA_CONFIG = LlamaConfig.of(32_000, 288, 768, 6, 6, 6, 1024);

    private static final LlamaConfig STORIES260K_CONFIG = LlamaConfig.of(512, 64, 172, 5, 8, 4, 512);

    private static final LlamaConfig SMOLLM2_CONFIG = LlamaConfig.of(49_152, 576, 1536, 30, 9, 3, 2048);

    /** The network in Gradus, with random weights. */
    private LanguageModel ours(Device device, DType dtype) {
        WeightSource weights = WeightSource.random(device, 42).to(dtype);
        return switch (this) {
            case GPT2 -> new Gpt2(GPT2_CONFIG, weights);
            case LLAMA -> new Llama(LLAMA_CONFIG, weights);
            case STORIES260K -> new Llama(STORIES260K_CONFIG, weights);
            case SMOLLM2 -> new Llama(SMOLLM2_CONFIG, weights);
        };
    }

    /** The network in libtorch, with other random weights; see {@link #copyWeights}. */
    TorchModel theirs() {
        TorchModel model = switch (this) {
            case GPT2 -> new TorchGpt2(GPT2_CONFIG);
            case LLAMA -> new TorchLlama(LLAMA_CONFIG);
            case STORIES260K -> new TorchLlama(STORIES260K_CONFIG);
            case SMOLLM2 -> new TorchLlama(SMOLLM2_CONFIG);
        };
        model.drawMatrices(0.02);
        return model;
    }

    private int vocabulary() {
        return switch (this) {
            case GPT2 -> GPT2_CONFIG.vocabSize();
            case LLAMA -> LLAMA_CONFIG.vocabSize();
            case STORIES260K -> STORIES260K_CONFIG.vocabSize();
            case SMOLLM2 -> SMOLLM2_CONFIG.vocabSize();
        };
    }

    /** Training steps with Gradus. */
    public GradusTraining train(Device device, Precision precision, int batch, int length) {
        return new GradusTraining(
                ours(device.withMatmulPrecision(precision.products()), precision.dtype()),
                ids(batch, length),
                targets(batch, length),
                batch,
                length,
                LEARNING_RATE,
                WEIGHT_DECAY);
    }

    /** Training steps with libtorch, under its BF16 autocast if Gradus multiplies BF16. */
    public TorchTraining trainWithLibTorch(Precision precision, int batch, int length) {
        return new TorchTraining(
                this::theirs,
                precision.multipliesBf16(),
                ids(batch, length),
                targets(batch, length),
                batch,
                length,
                LEARNING_RATE,
                WEIGHT_DECAY);
    }

    /** The tokens of the batch. */
    public int[] ids(int batch, int length) {
        return new SplittableRandom(1)
                .ints((long) batch * length, 0, vocabulary())
                .toArray();
    }

    /** The target of each token. */
    public int[] targets(int batch, int length) {
        return new SplittableRandom(2)
                .ints((long) batch * length, 0, vocabulary())
                .toArray();
    }

    /**
     * Copies our weights to libtorch's network.
     *
     * @throws IllegalStateException if the networks do not have the same parameters
     */
    static void copyWeights(LanguageModel ours, TorchModel theirs) {
        var from = ours.namedParameters();
        Map<String, Tensor> to = theirs.namedParameters();
        if (!from.keySet().equals(to.keySet())) {
            throw new IllegalStateException("the networks differ: " + from.keySet() + " and " + to.keySet());
        }
        from.forEach((name, variable) -> {
            try (PointerScope _ = new PointerScope()) {
                Shape shape = variable.shape();
                Tensor value = LibTorch.tensor(variable.value().toFloats(), shape.toArray());
                LibTorch.assign(Objects.requireNonNull(to.get(name)), theirs.isTransposed(name) ? value.t() : value);
            }
        });
    }
}

package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.Losses;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.optim.AdamW;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.LossScaler;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Fine-tuning in 16 bits through F32 masters arrives where fine-tuning in F32 does. */
class MixedPrecisionTrainingTest {
    private static final Path SHARED = Path.of(System.getProperty("gradus.shared", "../../shared"));
    private static final Path MODEL = SHARED.resolve("models/stories260K");
    private static final Path TEXT = SHARED.resolve("data/tinyshakespeare.txt");
    private static final int STEPS = 200;
    private static final int ROWS = 4;
    private static final int LENGTH = 64;
    private static final int HELD_OUT = 40;

    /** What a run came to: the loss on held-out text before and after, and steady bytes for each parameter. */
    private record Run(double before, double after, double bytes, long skipped) {}

    @Test
    void heldOutLossIsWithinOnePercentOfF32() throws IOException {
        assumeTrue(Files.isDirectory(MODEL), () -> MODEL + " is not there: the test needs that model");
        assumeTrue(Files.isRegularFile(TEXT), () -> TEXT + " is not there: the test needs that text");
        Run single = train(DType.F32, false);
        Run brain = train(DType.BF16, false);
        Run half = train(DType.F16, true);
        System.getLogger(getClass().getName())
                .log(
                        System.Logger.Level.INFO,
                        String.format(
                                Locale.ROOT,
                                "before %.4f; after %d steps F32 %.4f, BF16 %.4f, F16 %.4f (%d skipped)",
                                single.before,
                                STEPS,
                                single.after,
                                brain.after,
                                half.after,
                                half.skipped));
        assertThat(single.after).isLessThan(single.before - 1);
        assertThat(brain.before).isCloseTo(single.before, within(0.01 * single.before));
        assertThat(brain.after).isCloseTo(single.after, within(0.01 * single.after));
        assertThat(half.after).isCloseTo(single.after, within(0.01 * single.after));
        assertThat(single.bytes).isEqualTo(16);
        assertThat(brain.bytes).isEqualTo(16);
        assertThat(half.bytes).isEqualTo(16);
    }

    /** @param lean whether to save on activations as well */
    private static Run train(DType dtype, boolean lean) throws IOException {
        Device device = new Device("cpu", 0, new CpuBackend(CpuBackend.defaultThreads()));
        int[] tokens = Tokenizer.load(MODEL).encode(Files.readString(TEXT).substring(0, 200_000));
        LanguageModel model = ModelFolder.open(MODEL).load(device, dtype);
        model.setActivationCheckpointing(lean);
        Optimizer optimizer = new AdamW(ParameterGroups.withWeightDecay(model.parameters(), 0.01), 1e-3);
        initMasterWeights(model, optimizer, device);
        LossScaler scaler = new LossScaler(
                dtype == DType.F16 ? LossScaler.Settings.DEFAULT : new LossScaler.Settings(1, 2, 0.5, STEPS + 1));
        GradientClipping clipping = new GradientClipping(1);
        Schedule schedule = Schedule.cosine(20, STEPS, 0.1);
        double before = heldOutLoss(model, tokens, device);
        for (int step = 0; step < STEPS; step++) {
            optimizer.setLearningRate(schedule, step);
            optimizer.zeroGrad();
            try (Scope _ = Scope.open("step")) {
                Variable loss = loss(model, batch(tokens, HELD_OUT + step), device, lean);
                scaler.scale(loss).backwardAndRelease();
                int counted = ROWS * (LENGTH - 1);
                scaler.step(optimizer, norm -> clipping.factor(norm / counted) / counted);
            }
        }
        double bytes = 0;
        for (MemoryCategory category : MemoryCategory.values()) {
            boolean ofParameters = category != MemoryCategory.ACTIVATIONS; // the table of rotations among them
            bytes += ofParameters ? device.backend().memory().live(category) : 0;
        }
        return new Run(before, heldOutLoss(model, tokens, device), bytes / model.parameterCount(), scaler.skipped());
    }

    /** The checkpoint is in F32: what rounding to 16 bits takes away is kept in the masters. */
    private static void initMasterWeights(LanguageModel model, Optimizer optimizer, Device device) throws IOException {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(MODEL)) {
            for (Variable parameter : optimizer.parameters()) {
                try (Scope _ = Scope.open("master")) {
                    String name =
                            model.config().tensorNames(checkpoint::contains).apply(String.valueOf(parameter.name()));
                    optimizer.initMasterWeight(
                            parameter, checkpoint.read(name, device, DType.F32, MemoryCategory.WORKSPACE));
                }
            }
        }
    }

    private static Variable loss(LanguageModel model, int[] batch, Device device, boolean byChunks) {
        Input input = Input.of(Tensor.of(device, batch, ROWS, LENGTH));
        Tensor targets = Tensor.of(device, Losses.shiftLabels(batch, LENGTH), ROWS, LENGTH);
        return byChunks
                ? model.lossSum(input, targets, 0)
                : model.forward(input).crossEntropy(targets, CrossEntropyOptions.of(Reduction.SUM));
    }

    /** The n-th piece of the text; after the last comes the first that is not held out. */
    private static int[] batch(int[] tokens, int index) {
        int size = ROWS * LENGTH;
        int pieces = tokens.length / size;
        int piece = index < HELD_OUT ? index : HELD_OUT + (index - HELD_OUT) % (pieces - HELD_OUT);
        return Arrays.copyOfRange(tokens, piece * size, (piece + 1) * size);
    }

    private static double heldOutLoss(LanguageModel model, int[] tokens, Device device) {
        double sum = 0;
        for (int i = 0; i < HELD_OUT; i++) {
            int[] batch = batch(tokens, i);
            try (Scope _ = Scope.open("evaluation")) {
                sum += Autograd.noGrad(() -> loss(model, batch, device, true)).item();
            }
        }
        return sum / (HELD_OUT * ROWS * (LENGTH - 1));
    }
}

package io.gradus.train;

import io.gradus.nn.model.ModelFolder;
import io.gradus.core.Device;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.optim.Schedule;
import io.gradus.train.memory.MemoryFit;
import io.gradus.train.memory.MemoryPlan;
import java.io.IOException;
import java.util.Objects;

/**
 * What a recipe names, loaded and checked against each other. Nothing is written.
 *
 * @param base the pre-trained model's folder
 * @param model with the base's weights
 * @param memory that the run will take, which the device has
 * @param batches of training text, by their number from 0
 * @param steps that the run makes in all
 * @param schedule of the learning rate, as a part of the peak
 */
record Prepared(
        ModelFolder base,
        Tokenizer tokenizer,
        LanguageModel model,
        TrainingData data,
        MemoryPlan memory,
        Batches batches,
        int steps,
        Schedule schedule) {

    /**
     * Loads.
     *
     * @param resumed whether a checkpoint will be read besides
     * @throws RecipeException when the recipe's parts do not fit each other, or the run not the memory
     */
    static Prepared of(Recipe recipe, ModelFolder base, Texts texts, boolean resumed) throws IOException {
        Device device = device(recipe);
        device.backend().memory().resetPeak(); // what ran before on this device is not this run's
        MemoryPlan memory = MemoryPlan.of(recipe, base.config(), resumed);
        MemoryFit.require(memory, recipe, base.config(), device);
        Tokenizer tokenizer = Tokenizer.load(base.path());
        LanguageModel model = base.load(device, recipe.memory().precision().dtype());
        TrainingData data = TrainingData.read(recipe, texts, tokenizer, memory.blockLength());
        data.requireFits(model);
        Batches batches = new Batches(data.training(), recipe.batchSize(), recipe.seed(), true);
        int steps = steps(recipe, batches);
        return new Prepared(base, tokenizer, model, data, memory, batches, steps, recipe.schedule(steps));
    }

    /** One block of what the model knows, which is not evaluated; they go round. */
    Batch known(long index) {
        return new Batches(Objects.requireNonNull(data.known()), 1, 0, false).batch(index, model.device());
    }

    private static Device device(Recipe recipe) {
        if (recipe.device().equals("gpu")) {
            return Device.gpu();
        }
        return recipe.threads() == null ? Device.cpu() : Device.cpu(recipe.threads());
    }

    private static int steps(Recipe recipe, Batches batches) {
        if (recipe.steps() != null) {
            return recipe.steps();
        }
        double forwards = Math.ceil(recipe.passes() * batches.batchesPerEpoch());
        return (int) Math.max(1, Math.ceil(forwards / recipe.gradientAccumulationSteps()));
    }
}

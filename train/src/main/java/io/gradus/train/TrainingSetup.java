package io.gradus.train;

import io.gradus.core.Device;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.ModelWriter;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.optim.Schedule;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.RecipeException;
import io.gradus.train.task.Task;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The parts of a run, loaded and checked against each other.
 *
 * @param base the folder of the pre-trained model
 * @param writer saves the model with the base's settings
 * @param model with the base's weights
 * @param memory that the run takes
 * @param steps of the run
 * @param schedule of the learning rate, relative to the peak
 */
record TrainingSetup(
        Task task,
        ModelFolder base,
        ModelWriter writer,
        Tokenizer tokenizer,
        PretrainedModel model,
        Dataset data,
        MemoryPlan memory,
        int steps,
        Schedule schedule) {

    Device device() {
        return model.device();
    }

    /** Saves the tokenizer with the template of the chats that the model is trained on. */
    void saveTokenizer(Path folder) throws IOException {
        tokenizer.save(folder);
        if (data.chatTemplate().isPresent()) {
            data.chatTemplate().get().save(folder);
        }
    }

    /** A training batch, by its number from 0. */
    Batch batch(long index) {
        return data.training().batch(index, device());
    }

    /** A batch of general text, for elastic weight consolidation. */
    Batch general(long index) {
        BatchSource general = data.general()
                .orElseThrow(() -> new RecipeException("ewc needs general text: name it, data.general=general.txt,"
                        + " or return it from Dataset.general()"));
        return general.batch(index, device());
    }
}

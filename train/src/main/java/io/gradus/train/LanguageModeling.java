package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.task.Task;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.function.Consumer;

/**
 * Predicts the next token of texts.
 *
 * @param time the local time that chat templates can ask for
 */
record LanguageModeling(Recipe recipe, Texts texts, LocalDateTime time, Consumer<Progress> progress) implements Task {
    @Override
    public Head head() {
        return new Head.LanguageModeling();
    }

    @Override
    public Batch largest(Device device, int rows, int length) {
        Tensor ids = Tensor.empty(device, DType.I32, Shape.of(rows, length), MemoryCategory.ACTIVATIONS);
        Tensor targets = Tensor.empty(device, DType.I32, Shape.of(ids.size()), MemoryCategory.ACTIVATIONS);
        return new Batch(ids, targets, ids.size());
    }

    @Override
    public Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) throws IOException {
        progress.accept(new Progress("reading the text", 0, 0));
        int stateLayers = config.isRecurrent() ? config.numHiddenLayers() : 0;
        TrainingData data = TrainingData.read(recipe, texts, tokenizer, length, stateLayers, time, progress);
        data.requireFits(config.vocabSize());
        return data;
    }

    @Override
    public Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch) {
        return LossFunction.crossEntropy(recipe.memory().lossChunkSize()).sum(model, hiddenStates, batch);
    }
}

package io.gradus.bench.cases;

import io.gradus.autograd.Variable;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.optim.AdamW;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroups;
import java.util.function.Consumer;

/** Training steps with Gradus on one batch, as in a user's own loop. */
public final class GradusTraining {
    private final LanguageModel model;
    private final Optimizer optimizer;
    private final Tensor ids;
    private final Tensor targets;

    public GradusTraining(
            LanguageModel model,
            int[] ids,
            int[] targets,
            int batch,
            int length,
            double learningRate,
            double weightDecay) {
        this.model = model;
        this.optimizer = new AdamW(ParameterGroups.single(model.parameters(), weightDecay), learningRate);
        this.ids = Tensor.of(model.device(), ids, batch, length);
        this.targets = Tensor.of(model.device(), targets, batch, length);
        model.train();
    }

    public LanguageModel model() {
        return model;
    }

    /** Performs a step and returns the loss before the update. */
    public double step() {
        return step(_ -> {});
    }

    /**
     * Performs a step and returns the loss before the update.
     *
     * @param phase is told what begins
     */
    public double step(Consumer<String> phase) {
        try (Scope _ = Scope.open("step")) {
            optimizer.zeroGrad();
            phase.accept("forward");
            Variable loss = model.forward(Input.of(ids)).crossEntropy(targets);
            phase.accept("backward");
            loss.backwardAndRelease();
            phase.accept("optimizer");
            optimizer.step();
            return loss.item();
        }
    }
}

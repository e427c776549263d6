package io.gradus.bench.libtorch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Training steps with libtorch on one batch: forward, {@code cross_entropy}, backward, AdamW. */
public final class TorchTraining implements AutoCloseable {
    private final PointerScope scope = new PointerScope();
    private final TorchModel model;
    private final FusedAdamW optimizer;
    private final Tensor ids;
    private final Tensor targets;

    public TorchTraining(
            Supplier<TorchModel> model,
            int[] ids,
            int[] targets,
            int batch,
            int length,
            double learningRate,
            double weightDecay) {
        this.model = model.get();
        this.ids = LibTorch.indices(ids, batch, length);
        this.targets = LibTorch.indices(targets, (long) batch * length);
        this.optimizer = new FusedAdamW(this.model.parameters(), learningRate, weightDecay);
    }

    public TorchModel model() {
        return model;
    }

    /** Performs a step and returns the loss before the update. */
    public double step() {
        try (PointerScope _ = new PointerScope()) {
            optimizer.zeroGrad();
            Tensor loss = LibTorch.function(() -> {
                Tensor logits = model.forward(ids);
                return torch.cross_entropy_loss(logits.view(targets.numel(), logits.size(2)), targets);
            });
            loss.backward();
            optimizer.step();
            return loss.item_float();
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}

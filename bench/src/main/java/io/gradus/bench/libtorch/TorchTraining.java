package io.gradus.bench.libtorch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Training steps with libtorch on one batch: forward, {@code cross_entropy}, backward, AdamW. Autocast is for the forward pass and
 * the loss, as PyTorch recommends.
 */
public final class TorchTraining implements AutoCloseable {
    private final PointerScope scope = new PointerScope();
    private final TorchModel model;
    private final boolean autocast;
    private final FusedAdamW optimizer;
    private final Tensor ids;
    private final Tensor targets;

    public TorchTraining(
            Supplier<TorchModel> model,
            boolean autocast,
            int[] ids,
            int[] targets,
            int batch,
            int length,
            double learningRate,
            double weightDecay) {
        this.model = model.get();
        this.autocast = autocast;
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
            Tensor loss = LibTorch.function(() -> autocast ? LibTorch.autocast(this::loss) : loss());
            loss.backward();
            optimizer.step();
            return loss.item_float();
        }
    }

    private Tensor loss() {
        Tensor logits = model.forward(ids);
        return torch.cross_entropy_loss(logits.view(targets.numel(), logits.size(2)), targets);
    }

    @Override
    public void close() {
        scope.close();
    }
}

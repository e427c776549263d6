package io.gradus.nn.model.gemma;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Embedding;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.decoder.DecoderSettings;

/** An embedding table whose rows are multiplied by {@code √hidden_size}, rounded to the dtype of the table. */
final class GemmaEmbedding extends Module {
    private final Embedding table;
    private final double scale;

    GemmaEmbedding(WeightSource weights, DecoderSettings settings) {
        this.table = register(settings.embedding(weights));
        this.scale =
                rounded(Math.sqrt(settings.hiddenSize()), table.weight().value().dtype());
    }

    private static double rounded(double number, DType dtype) {
        Tensor tensor = Tensor.full(Device.cpu(), dtype, Shape.scalar(), number, MemoryCategory.WORKSPACE);
        double rounded = tensor.toDoubles()[0];
        tensor.release();
        return rounded;
    }

    /**
     * @param ids I32 {@code [B, T]}
     * @return {@code [B, T, hidden_size]}
     */
    Variable forward(Tensor ids) {
        return table.forward(ids).multiply(scale);
    }

    /** The table, which the output layer may share. */
    Variable weight() {
        return table.weight();
    }
}

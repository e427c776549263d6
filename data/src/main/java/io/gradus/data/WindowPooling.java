package io.gradus.data;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;

/** The hidden state of a long text: the mean of those of its windows (Sun et al. 2019, section 4.1.2, hierarchical methods). */
public final class WindowPooling {
    private WindowPooling() {}

    /**
     * Pools the rows of a batch.
     *
     * @param hidden {@code [rows, hidden_size]}, of a classifier of sequences
     * @return {@code [texts, hidden_size]}; {@code hidden} itself if each row is a text
     */
    public static Variable mean(Variable hidden, Batch batch) {
        Tensor textOfRow = batch.textOfRow();
        if (textOfRow == null) {
            return hidden;
        }
        int texts = Math.toIntExact(batch.targets().shape().get(0));
        Variable weights = Variable.constant(weights(textOfRow, texts, hidden.device()));
        return weights.to(hidden.value().dtype()).matmul(hidden);
    }

    /** For each text and row, 1 divided by the number of windows of the text, or 0: {@code [texts, rows]}. */
    private static Tensor weights(Tensor textOfRow, int texts, Device device) {
        int rows = Math.toIntExact(textOfRow.size());
        if (!textOfRow.backend().hasElements()) {
            return Tensor.empty(device, DType.F32, Shape.of(texts, rows), MemoryCategory.ACTIVATIONS);
        }
        int[] text = textOfRow.toInts();
        int[] windows = new int[texts];
        for (int each : text) {
            windows[each]++;
        }
        float[] weights = new float[texts * rows];
        for (int row = 0; row < rows; row++) {
            weights[text[row] * rows + row] = 1f / windows[text[row]];
        }
        return Tensor.of(device, weights, texts, rows);
    }
}

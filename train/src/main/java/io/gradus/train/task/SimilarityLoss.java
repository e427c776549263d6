package io.gradus.train.task;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.serve.Pooling;
import io.gradus.nn.Losses;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The loss of pairs of texts, by the cosines of their vectors.
 *
 * <ul>
 *   <li>With scores, the squared error of the cosine ({@code CosineSimilarityLoss} of sentence-transformers; Reimers &amp; Gurevych
 *       2019, section 3).
 *   <li>Otherwise {@code −log softmax(20·cos(a, c))} of the positive c of an anchor a, among the positives and the negatives of the whole
 *       batch ({@code MultipleNegativesRankingLoss}; Henderson et al. 2017, section 4.4).
 * </ul>
 *
 * @param pooling of hidden states
 * @param scored whether the targets are scores
 */
record SimilarityLoss(Pooling pooling, boolean scored) {
    /** Cosines are within −1 and 1, which would make a softmax too flat: the scale of sentence-transformers. */
    private static final double SCALE = 20;

    /**
     * The vectors of a batch, all of length 1.
     *
     * @param anchors {@code [B, D]}, the first text of each example
     * @param candidates {@code [C, D]}: the second text of each, then the negatives, if there are any
     */
    record Vectors(Variable anchors, Variable candidates) {}

    /**
     * The vectors of the texts of a batch.
     *
     * @param states {@code [rows, T, D]}; the rows of an example follow each other: its two texts and perhaps a negative
     */
    Vectors vectors(Variable states, Batch batch) {
        Variable pooled = pooling.of(states, batch.attentionMask());
        boolean isShort = pooled.value().dtype().bytes() < DType.F32.bytes();
        Variable vectors = Pooling.normalized(isShort ? pooled.to(DType.F32) : pooled);
        Tensor exampleOfRow = Objects.requireNonNull(batch.textOfRow(), "textOfRow");
        Device device = states.device();
        int rows = Math.toIntExact(exampleOfRow.size());
        int examples = Math.toIntExact(batch.targets().size());
        if (!exampleOfRow.backend().hasElements()) { // the plan of memory
            return new Vectors(
                    vectors.embedding(places(device, examples)), vectors.embedding(places(device, rows - examples)));
        }
        int[] example = exampleOfRow.toInts();
        int[] firsts = IntStream.range(0, rows)
                .filter(row -> row == 0 || example[row] != example[row - 1])
                .toArray();
        int[] candidates = IntStream.concat(
                        IntStream.of(firsts).map(row -> row + 1),
                        IntStream.range(2, rows).filter(row -> example[row] == example[row - 2]))
                .toArray();
        return new Vectors(
                vectors.embedding(Tensor.of(device, firsts, firsts.length)),
                vectors.embedding(Tensor.of(device, candidates, candidates.length)));
    }

    private static Tensor places(Device device, int count) {
        return Tensor.empty(device, DType.I32, Shape.of(count), MemoryCategory.ACTIVATIONS);
    }

    /**
     * The loss of a batch, summed over its examples: a scalar.
     *
     * @param states as those of {@link #vectors}
     * @param batch whose targets are the scores, F32 {@code [B]}, or for each example its own number, I32 {@code [B]}
     */
    Variable sum(Variable states, Batch batch) {
        Vectors vectors = vectors(states, batch);
        if (scored) {
            Variable cosines = cosines(vectors);
            Variable targets =
                    Variable.constant(batch.targets().to(cosines.value().dtype()));
            return Losses.mseLoss(cosines, targets, Reduction.SUM);
        }
        return vectors.anchors
                .matmul(vectors.candidates, false, true)
                .multiply(SCALE)
                .crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM));
    }

    /** The cosines of the two texts of each example, {@code [B]}. */
    static Variable cosines(Vectors vectors) {
        return vectors.anchors.multiply(vectors.candidates).sum(1);
    }
}

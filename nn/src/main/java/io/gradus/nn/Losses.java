package io.gradus.nn;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.MemoryCategory;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Loss functions with the names and the formulas of {@code torch.nn.functional}. For the cross-entropy without class weights
 * see {@link Variable#crossEntropy}.
 *
 * <p>Except for the cross-entropy, input x and target t have the same shape, each pair of elements has a loss, and the
 * reduction takes the mean or the sum of all of them. Both x and t get gradients if they require them.
 */
public final class Losses {
    private Losses() {}

    // ---- regression ----

    /** The mean of {@link #mseLoss(Variable, Variable, Reduction)}. */
    public static Variable mseLoss(Variable input, Variable target) {
        return mseLoss(input, target, Reduction.MEAN);
    }

    /** The squared error, {@code (x − t)²}. */
    public static Variable mseLoss(Variable input, Variable target, Reduction reduction) {
        Variable difference = difference("mseLoss", input, target);
        return reduce(difference.multiply(difference), reduction);
    }

    /** The absolute error, {@code |x − t|}. Its gradient is 0 where x and t are equal. */
    public static Variable l1Loss(Variable input, Variable target, Reduction reduction) {
        return reduce(difference("l1Loss", input, target).abs(), reduction);
    }

    /**
     * The Huber loss (Huber 1964): {@code (x − t)²/2} where {@code |x − t| ≤ δ}, and {@code δ·(|x − t| − δ/2)} elsewhere.
     *
     * @throws IllegalArgumentException unless δ is positive
     */
    public static Variable huberLoss(Variable input, Variable target, double delta, Reduction reduction) {
        requirePositive("huberLoss: delta", delta);
        requireSameShape("huberLoss", input, target);
        return reduce(input.huber(target, delta), reduction);
    }

    /**
     * The Huber loss divided by its threshold (Girshick 2015, eq. 3, has β = 1): {@code (x − t)²/2β} where
     * {@code |x − t| < β}, and {@code |x − t| − β/2} elsewhere.
     *
     * @throws IllegalArgumentException unless β is positive; for 0 use {@link #l1Loss}
     */
    public static Variable smoothL1Loss(Variable input, Variable target, double beta, Reduction reduction) {
        requirePositive("smoothL1Loss: beta", beta);
        requireSameShape("smoothL1Loss", input, target);
        return reduce(input.huber(target, beta).divide(beta), reduction);
    }

    // ---- classification ----

    /**
     * The binary cross-entropy of logits: {@code −(p·t·ln σ(x) + (1 − t)·ln(1 − σ(x)))}, where σ is the sigmoid.
     *
     * <p>Without the weight p this is {@link Variable#binaryCrossEntropyWithLogits}. The weight adds
     * {@code (p − 1)·t·(−ln σ(x))}, and {@code −ln σ(x)} is the cross-entropy for the target 1.
     *
     * @param input logits x
     * @param target probabilities t of the positive class, in 0 … 1
     * @param posWeight the weight p of positive examples, of a shape that broadcasts to that of x, such as one element per
     *     class; null for 1
     */
    public static Variable binaryCrossEntropyWithLogits(
            Variable input, Variable target, @Nullable Tensor posWeight, Reduction reduction) {
        requireSameShape("binaryCrossEntropyWithLogits", input, target);
        Variable losses = input.binaryCrossEntropyWithLogits(target);
        if (posWeight != null) {
            Tensor ones =
                    Tensor.full(input.device(), input.value().dtype(), input.shape(), 1, MemoryCategory.ACTIVATIONS);
            Variable ofPositives = input.binaryCrossEntropyWithLogits(Variable.constant(ones));
            Variable extra = target.multiply(Variable.constant(posWeight).subtract(1));
            losses = losses.add(extra.multiply(ofPositives));
        }
        return reduce(losses, reduction);
    }

    /**
     * The Kullback-Leibler divergence of the target from the input: {@code t·(ln t − x)}, and 0 where t is 0. For the
     * divergence of distributions, use {@link Reduction#SUM} and divide by the number of rows, PyTorch's {@code batchmean};
     * {@link Reduction#MEAN} divides by the number of elements.
     *
     * @param input log-probabilities x, as from {@link Variable#logSoftmax}
     * @param target probabilities t
     */
    public static Variable klDivLoss(Variable input, Variable target, Reduction reduction) {
        requireSameShape("klDivLoss", input, target);
        Variable logTarget =
                target.clamp(Float.MIN_NORMAL, Double.POSITIVE_INFINITY).log(); // 0·ln t is then 0, not NaN
        return reduce(target.multiply(logTarget.subtract(input)), reduction);
    }

    /**
     * {@link #klDivLoss} of a target that is given by its logarithms: {@code e^t·(t − x)}.
     *
     * @param input log-probabilities x
     * @param logTarget log-probabilities t
     */
    public static Variable klDivLossOfLogTarget(Variable input, Variable logTarget, Reduction reduction) {
        Variable difference = difference("klDivLoss", /* input= */ logTarget, /* target= */ input);
        return reduce(logTarget.exp().multiply(difference), reduction);
    }

    /**
     * The cross-entropy of logits with a weight w for each class. A row with target t has the loss {@code −wₜ·ln pₜ}, where p
     * is the softmax of the row, and the mean divides by the sum of the {@code wₜ}.
     *
     * <p>With label smoothing ε and V classes the loss of a row is {@code (1 − ε)·(−wₜ·ln pₜ) + ε/V·Σ_c(−w_c·ln p_c)}.
     *
     * @param logits {@code […, V]}
     * @param targets I32 {@code […]}, each in 0 … V−1 or the ignored index
     * @param classWeights F32 {@code [V]}
     * @param options reduction, ignored index and label smoothing
     * @throws IllegalArgumentException if the options have sample weights as well
     */
    public static Variable crossEntropy(
            Variable logits, Tensor targets, Tensor classWeights, CrossEntropyOptions options) {
        if (options.sampleWeights() != null) {
            throw new IllegalArgumentException("crossEntropy: class weights and sample weights cannot be combined;"
                    + " multiply the sample weights by the class weights of their targets");
        }
        if (classWeights.shape().rank() != 1
                || classWeights.shape().get(0) != logits.shape().last()) {
            throw new ShapeException(
                    "crossEntropy",
                    "class weights do not fit the logits",
                    "give one weight per class",
                    classWeights.shape(),
                    logits.shape());
        }
        Tensor weights = targetWeights(targets, classWeights, options.ignoreIndex());
        double smoothing = options.labelSmoothing();
        CrossEntropyOptions hard = options.withLabelSmoothing(0).withSampleWeights(weights);
        if (smoothing == 0) {
            return logits.crossEntropy(targets, hard);
        }
        CrossEntropyOptions rows = new CrossEntropyOptions(Reduction.NONE, hard.ignoreIndex(), weights, 0);
        Variable ofTargets = logits.crossEntropy(targets, rows);
        Variable ofAll = logits.logSoftmax(-1)
                .multiply(Variable.constant(classWeights))
                .sum(-1)
                .multiply(Variable.constant(isCounted(targets, options.ignoreIndex())));
        Variable losses = ofTargets.multiply(1 - smoothing).subtract(ofAll.multiply(smoothing / classWeights.size()));
        return options.reduction() == Reduction.MEAN
                ? losses.sum().divide(sum(weights))
                : reduce(losses, options.reduction());
    }

    /** The weight of each target's class, 0 if it is ignored. */
    private static Tensor targetWeights(Tensor targets, Tensor classWeights, int ignoreIndex) {
        float[] ofClass = classWeights.toFloats();
        int[] ids = targets.toInts();
        float[] weights = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            boolean isClass = ids[i] != ignoreIndex && ids[i] >= 0 && ids[i] < ofClass.length;
            weights[i] = isClass ? ofClass[ids[i]] : 0; // crossEntropy itself rejects what is neither
        }
        return Tensor.of(targets.device(), weights, targets.shape().toArray());
    }

    /** 1 for each target that is not ignored, 0 for the others. */
    private static Tensor isCounted(Tensor targets, int ignoreIndex) {
        int[] ids = targets.toInts();
        float[] counted = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            counted[i] = ids[i] == ignoreIndex ? 0 : 1;
        }
        return Tensor.of(targets.device(), counted, targets.shape().toArray());
    }

    private static double sum(Tensor weights) {
        double sum = 0;
        for (float weight : weights.toFloats()) {
            sum += weight;
        }
        return sum;
    }

    /**
     * The targets of next-token prediction: each position gets the label of the next one, and the last position of each row
     * gets {@link CrossEntropy#IGNORE_INDEX}. Logits then need no slicing.
     *
     * @param labels {@code [rows, length]}, row by row, not shifted, as Hugging Face's models take them
     * @throws IllegalArgumentException if the labels do not form whole rows
     */
    public static int[] shiftLabels(int[] labels, int length) {
        if (length < 1 || labels.length % length != 0) {
            throw new IllegalArgumentException(
                    "shiftLabels: " + labels.length + " labels do not form rows of length " + length);
        }
        int[] targets = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            targets[i] = i % length == length - 1 ? CrossEntropy.IGNORE_INDEX : labels[i + 1];
        }
        return targets;
    }

    // ---- parts ----

    private static Variable difference(String loss, Variable input, Variable target) {
        requireSameShape(loss, input, target);
        return input.subtract(target);
    }

    /** PyTorch broadcasts with a warning; a target {@code [N]} for an input {@code [N, 1]} is a common mistake. */
    private static void requireSameShape(String loss, Variable input, Variable target) {
        if (!input.shape().equals(target.shape())) {
            throw new ShapeException(
                    loss, "input and target differ in shape", "reshape one of them", input.shape(), target.shape());
        }
    }

    private static void requirePositive(String what, double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException(what + " is " + value + "; it must be positive");
        }
    }

    private static Variable reduce(Variable losses, Reduction reduction) {
        return switch (reduction) {
            case MEAN -> losses.mean();
            case SUM -> losses.sum();
            case NONE -> losses;
        };
    }
}

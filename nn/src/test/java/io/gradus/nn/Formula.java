package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** The formula of a layer as plain loops in double precision. */
@FunctionalInterface
public interface Formula {

    /**
     * @param inputs the elements of each input, row by row
     * @return the elements of the result
     */
    double[] apply(double[]... inputs);

    /**
     * Compares a layer with this formula: the result, and the gradient of every element of every input with the formula's
     * difference quotient. The elements of the result get different weights, so that each matters.
     *
     * @param inputs variables that the layer reads, in the order in which the formula takes them
     */
    default void assertAgrees(Supplier<Variable> layer, List<Variable> inputs) {
        double[][] points =
                inputs.stream().map(input -> input.value().toDoubles()).toArray(double[][]::new);
        Variable result = layer.get();
        assertClose("result", result.value().toDoubles(), apply(points), 1e-5);
        float[] weights = new float[Math.toIntExact(result.value().size())];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) Math.sin(1 + 3 * i);
        }
        inputs.forEach(Variable::clearGrad);
        result.backward(Tensor.of(weights, result.shape().toArray()), false);
        for (int input = 0; input < points.length; input++) {
            Tensor gradient = inputs.get(input).grad();
            assertThat(gradient).as("gradient of input %d", input).isNotNull();
            double[] numeric = differenceQuotients(points, input, weights);
            assertClose("gradient of input " + input, gradient.toDoubles(), numeric, 1e-4);
        }
    }

    private double[] differenceQuotients(double[][] points, int input, float[] weights) {
        double h = 1e-5;
        double[] point = points[input];
        double[] quotients = new double[point.length];
        for (int i = 0; i < point.length; i++) {
            double x = point[i];
            point[i] = x + h;
            double after = weightedSum(apply(points), weights);
            point[i] = x - h;
            double before = weightedSum(apply(points), weights);
            point[i] = x;
            quotients[i] = (after - before) / (2 * h);
        }
        return quotients;
    }

    private static double weightedSum(double[] elements, float[] weights) {
        double sum = 0;
        for (int i = 0; i < elements.length; i++) {
            sum += weights[i] * elements[i];
        }
        return sum;
    }

    /** @param tolerance as a part of the largest element */
    static void assertClose(String what, double[] actual, double[] expected, double tolerance) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        double scale = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        assertThat(scale).as("largest element of the expected %s", what).isPositive();
        assertThat(actual).as(what).containsExactly(expected, within(tolerance * scale));
    }

    // ---- pieces ----

    /** {@code x·Wᵀ + b} for rows of length {@code in}; b may be empty. */
    static double[] linear(double[] x, int in, double[] w, double[] b) {
        int rows = x.length / in;
        int out = w.length / in;
        double[] y = new double[rows * out];
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                double sum = b.length == 0 ? 0 : b[o];
                for (int i = 0; i < in; i++) {
                    sum += x[r * in + i] * w[o * in + i];
                }
                y[r * out + o] = sum;
            }
        }
        return y;
    }

    /** The transpose of a matrix with rows of the given length. */
    static double[] transposed(double[] w, int length) {
        int rows = w.length / length;
        double[] turned = new double[w.length];
        for (int i = 0; i < w.length; i++) {
            turned[i % length * rows + i / length] = w[i];
        }
        return turned;
    }

    /**
     * Causal attention of {@code [B, T, heads, dim]}; there may be fewer key-value heads, each shared by several query heads.
     *
     * @param mask for each token, 0 for padding; a token that sees nothing gets zeros
     */
    static double[] causalAttention(
            double[] q, double[] k, double[] v, int length, int heads, int groups, int dim, double scale, int[] mask) {
        double[] out = new double[q.length];
        for (int query = 0; query < q.length / dim; query++) {
            int token = query / heads;
            int group = query % heads / (heads / groups);
            double total = 0;
            double[] sum = new double[dim];
            for (int other = token / length * length; other <= token; other++) {
                int key = (other * groups + group) * dim;
                double score = 0;
                for (int i = 0; i < dim; i++) {
                    score += q[query * dim + i] * k[key + i] * scale;
                }
                double weight = mask[other] * Math.exp(score);
                total += weight;
                for (int i = 0; i < dim; i++) {
                    sum[i] += weight * v[key + i];
                }
            }
            for (int i = 0; i < dim; i++) {
                out[query * dim + i] = total == 0 ? 0 : sum[i] / total;
            }
        }
        return out;
    }
}

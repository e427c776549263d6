package io.gradus.bench.cases;

import io.gradus.core.DType;
import io.gradus.core.MatmulPrecision;
import java.util.Locale;

/**
 * What Gradus stores and multiplies numbers in; libtorch computes in BF16 where we do, and in F32 otherwise.
 *
 * @param dtype of the operands of a matrix product, or of the weights of a network
 * @param products how exactly F32 is multiplied
 */
public record Precision(DType dtype, MatmulPrecision products) {
    public static final Precision HIGHEST = new Precision(DType.F32, MatmulPrecision.HIGHEST);
    public static final Precision HIGH = new Precision(DType.F32, MatmulPrecision.HIGH);
    public static final Precision MEDIUM = new Precision(DType.F32, MatmulPrecision.MEDIUM);
    public static final Precision BF16 = new Precision(DType.BF16, MatmulPrecision.HIGHEST);

    /** Whether operands of matrix products have 8 bits, so that libtorch's are BF16. */
    public boolean multipliesBf16() {
        return dtype == DType.BF16 || products == MatmulPrecision.MEDIUM;
    }

    /** The name of a group with this precision. */
    public String group(String name) {
        if (dtype != DType.F32) {
            return name + "-" + dtype.name().toLowerCase(Locale.ROOT);
        }
        return products == MatmulPrecision.HIGHEST
                ? name
                : name + "-" + products.name().toLowerCase(Locale.ROOT);
    }
}

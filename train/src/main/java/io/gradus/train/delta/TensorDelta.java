package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Shape;

/**
 * The metadata of one tensor of a delta.
 *
 * @param name in the tuned model
 * @param from the name in the base, which may differ ({@code transformer.wte.weight} and {@code wte.weight}, or a tied weight
 *     that is saved once)
 * @param dtype in the tuned model, and so of the result
 * @param baseDtype in the base
 * @param shape in both
 * @param sha256 of the tuned tensor's bytes, in hexadecimal
 * @param baseSha256 of the base tensor's bytes
 * @param change the statistics of the change
 * @param corrections the number of elements that the difference alone does not restore exactly; see {@link Delta}
 * @param inexpressible the number of these whose difference overflows the dtype. They cannot be scaled.
 */
public record TensorDelta(
        String name,
        String from,
        DType dtype,
        DType baseDtype,
        Shape shape,
        String sha256,
        String baseSha256,
        Change change,
        long corrections,
        long inexpressible) {

    /** Suffix of the tensor with the indices of the corrections. */
    static final String CORRECTED_AT = "@corrected_at";

    /** Suffix of the tensor with the corrected elements. */
    static final String CORRECTED_TO = "@corrected_to";

    /** Whether the file has a difference for this tensor; unchanged tensors have none. */
    public boolean isStored() {
        return change.changed() > 0 || corrections > 0;
    }
}

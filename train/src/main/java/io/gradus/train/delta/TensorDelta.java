package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Shape;

/**
 * What a delta knows of one tensor of the tuned model.
 *
 * @param name in the tuned model
 * @param from the tensor of the base that it began as: of the same name, unless the two files name things differently
 *     ({@code transformer.wte.weight} and {@code wte.weight}) or a tied weight is written once in the base
 * @param dtype in the tuned model, and so of the result
 * @param baseDtype in the base
 * @param shape in both
 * @param sha256 of the tuned tensor's bytes, in hexadecimal
 * @param baseSha256 of the base tensor's bytes
 * @param change how far it moved
 * @param corrections how many elements the difference alone does not bring back to the bit; see {@link Delta}
 * @param inexpressible how many of these have no finite difference: one side is infinite or not a number, or the difference
 *     is too large for the dtype. They cannot be scaled.
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

    /** Added to a tensor's name: where, in its flattened elements, the corrections are. */
    static final String CORRECTED_AT = "@corrected_at";

    /** Added to a tensor's name: what the elements there are in the tuned model. */
    static final String CORRECTED_TO = "@corrected_to";

    /** Whether the file holds a difference; of what did not move it holds nothing. */
    public boolean isStored() {
        return change.changed() > 0 || corrections > 0;
    }
}

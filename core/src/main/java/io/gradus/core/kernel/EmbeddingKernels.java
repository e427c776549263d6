package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Rows of a table chosen by id. */
public interface EmbeddingKernels {

    /**
     * {@code out[i] = weight[ids[i]]}.
     *
     * @param weight {@code [V, D]} of F32, BF16 or F16 (on the reference F64); rows of 16 bits are converted on the way
     * @param ids I32 of any shape, each in 0 … V−1
     * @param out {@code [ids…, D]}
     * @throws IllegalArgumentException when an id is not a row; names the id and V
     */
    void gather(Tensor weight, Tensor ids, Tensor out);

    /** {@code dweight[ids[i]] (+)= dy[i]}; rows of equal id are added in the order of i, so the result is the same each time. */
    void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate);

    /** The error for an id that is not a row of the table. */
    static IllegalArgumentException badId(long id, long rows) {
        return new IllegalArgumentException("embedding: id " + id + " is not a row of a table of " + rows
                + "; does the tokeniser belong to this model (vocab_size)?");
    }
}

package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Rows of a table, selected by id. */
public interface EmbeddingKernels {

    /**
     * {@code out[i] = weight[ids[i]]}.
     *
     * @param weight {@code [V, D]} of F32, BF16 or F16 (on the reference F64); 16-bit rows are converted
     * @param ids I32 of any shape, each in 0 … V−1
     * @param out {@code [ids…, D]}
     * @throws IllegalArgumentException if an id is not a row; names the id and V
     */
    void gather(Tensor weight, Tensor ids, Tensor out);

    /** {@code dweight[ids[i]] (+)= dy[i]}; rows with equal ids are added in the order of i, so the result is deterministic. */
    void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate);

    /** The error for an id outside the table. */
    static IllegalArgumentException badId(long id, long rows) {
        return new IllegalArgumentException("embedding: id " + id + " is not a row of a table of " + rows
                + "; check that the tokenizer belongs to this model (vocab_size)");
    }
}

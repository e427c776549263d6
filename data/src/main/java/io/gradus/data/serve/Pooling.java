package io.gradus.data.serve;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.model.encoder.EncoderHead;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How the hidden states of a text's tokens become one vector (Reimers &amp; Gurevych 2019, section 3). */
public enum Pooling {
    /** The mean over all tokens. */
    MEAN("pooling_mode_mean_tokens"),
    /** The first token. */
    CLS("pooling_mode_cls_token"),
    /** The largest number of each element. */
    MAX("pooling_mode_max_tokens");

    /** Of padding, as in sentence-transformers. */
    private static final double LOWEST = -1e9;

    private final String key;

    Pooling(String key) {
        this.key = key;
    }

    /** The key of a folder of sentence-transformers. */
    String key() {
        return key;
    }

    /** The name, such as {@code mean}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * One vector for each text.
     *
     * @param states {@code [B, T, D]}, the hidden states of a network without a head
     * @param mask I32 {@code [B, T]}, 0 for padding; null if there is none
     * @return {@code [B, D]}
     */
    public Variable of(Variable states, @Nullable Tensor mask) {
        return switch (this) {
            case MEAN -> EncoderHead.mean(states, mask);
            case CLS -> EncoderHead.firstToken(states);
            case MAX -> (mask == null ? states : Variable.where(everywhere(mask), states, lowest(states))).max(1);
        };
    }

    private static Tensor everywhere(Tensor mask) {
        return mask.reshape(mask.shape().get(0), mask.shape().get(1), 1);
    }

    private static Variable lowest(Variable states) {
        DType dtype = states.value().dtype();
        return Variable.constant(
                Tensor.full(states.device(), dtype, Shape.scalar(), LOWEST, MemoryCategory.ACTIVATIONS));
    }

    /**
     * Vectors of length 1, as of {@code torch.nn.functional.normalize}.
     *
     * @param vectors {@code [B, D]}
     */
    public static Variable normalized(Variable vectors) {
        Variable lengths = vectors.multiply(vectors).sum(1, true).sqrt();
        return vectors.divide(lengths.clamp(1e-12, Double.POSITIVE_INFINITY));
    }
}

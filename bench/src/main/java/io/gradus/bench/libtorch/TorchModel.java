package io.gradus.bench.libtorch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** A network in libtorch, with Hugging Face's parameter names. */
public abstract class TorchModel {
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();

    /** Registers a parameter and returns it. */
    final Tensor own(String name, Tensor parameter) {
        parameters.put(name, parameter);
        return parameter;
    }

    public final Map<String, Tensor> namedParameters() {
        return parameters;
    }

    public final List<Tensor> parameters() {
        return new ArrayList<>(parameters.values());
    }

    /** Whether a parameter is the transpose of the matrix in Hugging Face's files. */
    public boolean isTransposed(String name) {
        return false;
    }

    /**
     * Initializes all matrices from a normal distribution. libtorch's default for embeddings is too wide for an output layer.
     */
    public final void drawMatrices(double standardDeviation) {
        try (NoGradGuard _ = new NoGradGuard();
                PointerScope _ = new PointerScope()) {
            for (Tensor parameter : parameters.values()) {
                if (parameter.dim() == 2) {
                    parameter.normal_(0, standardDeviation, new GeneratorOptional());
                }
            }
        }
    }

    /**
     * @param ids I64 {@code [B, T]}
     * @return logits {@code [B, T, vocabulary]}
     */
    public abstract Tensor forward(Tensor ids);
}

package io.gradus.train.memory;

import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Models with published sizes, for plans without a file: LLaMA (Touvron et al. 2023, table 2) and Llama 2 (Touvron et al.
 * 2023b, table 1); widths of the feed-forward blocks as in the released weights.
 */
public enum KnownModel {
    LLAMA_7B(7_000_000_000L, llama(4096, 11_008, 32, 32, 32, 2048, 1e-6)),
    LLAMA_13B(13_000_000_000L, llama(5120, 13_824, 40, 40, 40, 2048, 1e-6)),
    /** Llama 2, the first with grouped-query attention. */
    LLAMA_70B(70_000_000_000L, llama(8192, 28_672, 80, 64, 8, 4096, 1e-5));

    /** The sequence length of {@link #published()}. */
    private static final int PUBLISHED_TOKENS = 2048;

    private final long nominalParameters;
    private final LlamaConfig config;

    KnownModel(long nominalParameters, LlamaConfig config) {
        this.nominalParameters = nominalParameters;
        this.config = config;
    }

    private static LlamaConfig llama(
            int width, int feedForward, int layers, int heads, int keyValueHeads, int context, double eps) {
        LlamaConfig tied = LlamaConfig.of(32_000, width, feedForward, layers, heads, keyValueHeads, context);
        return LlamaConfig.read(tied.toJson().set("rms_norm_eps", eps).set("tie_word_embeddings", false));
    }

    /** The model with a name such as {@code llama-7b}. */
    public static Optional<KnownModel> of(String name) {
        return Arrays.stream(values())
                .filter(model -> model.toString().equals(name))
                .findFirst();
    }

    public ModelConfig config() {
        return config;
    }

    /**
     * The row of the published table of full fine-tuning in mixed precision with AdamW, on GPUs of 80 GB: 112.0 + 3.2 GB
     * for 7B. Its N is the number in the model's name (the models have 6.74, 13.02 and 68.98 billion parameters), and its
     * batch is one text of 2,048 tokens; with k = 12, {@code s·b·d·L·k} is then 3.2 GB.
     */
    public RuleOfThumb published() {
        return new RuleOfThumb(nominalParameters, PUBLISHED_TOKENS, config.hiddenSize(), config.numHiddenLayers());
    }

    /** The name, such as {@code llama-7b}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

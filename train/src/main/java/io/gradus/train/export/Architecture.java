package io.gradus.train.export;

import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.bert.BertConfig;
import io.gradus.nn.model.gemma.Gemma2Config;
import io.gradus.nn.model.gemma.Gemma3Config;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.granite.GraniteConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.llama.LlamaType;
import io.gradus.nn.model.olmo2.Olmo2Config;
import io.gradus.nn.model.phi3.Phi3Config;
import io.gradus.nn.model.qwen3.Qwen3Config;
import io.gradus.nn.model.smollm3.SmolLm3Config;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A network as llama.cpp knows it: the names and the layout of its weights, and the keys of its settings. */
interface Architecture {

    /** The value of {@code general.architecture}. */
    String name();

    /** Adds the settings of the network. */
    void describe(GgufMetadata metadata);

    /**
     * The name of a weight in the file.
     *
     * @param parameter its name in the network
     */
    String tensorName(String parameter);

    /**
     * A weight as llama.cpp wants it.
     *
     * @param parameter its name in the network
     */
    default Rows arranged(String parameter, Rows rows) {
        return rows;
    }

    /** Whether a weight is stored in F32 although it is a matrix. */
    default boolean isPrecise(String parameter) {
        return false;
    }

    /** Whether a weight is not in the file. */
    default boolean isLeftOut(String parameter) {
        return false;
    }

    /** Tensors that are computed from the settings. */
    default List<GgufTensor> computed() {
        return List.of();
    }

    /**
     * The architecture of a network.
     *
     * @param folder with the model
     * @throws IllegalArgumentException if llama.cpp does not have it, or does not have one of its settings
     * @throws IOException if another file of the folder is malformed
     */
    static Architecture of(ModelConfig config, Path folder) throws IOException {
        return switch (config) {
            case LlamaConfig qwen2 when qwen2.type() == LlamaType.QWEN2 -> UnchangedGguf.of(qwen2);
            case LlamaConfig llama -> LlamaGguf.of(llama);
            case SmolLm3Config smollm3 -> LlamaGguf.of(smollm3);
            case Qwen3Config qwen3 -> UnchangedGguf.of(qwen3);
            case Olmo2Config olmo2 -> UnchangedGguf.of(olmo2);
            case Phi3Config phi3 -> UnchangedGguf.of(phi3);
            case GraniteConfig granite -> LlamaGguf.of(granite);
            case Gemma2Config gemma2 -> GemmaGguf.of(gemma2);
            case Gemma3Config gemma3 -> GemmaGguf.of(gemma3);
            case Gpt2Config gpt2 -> new Gpt2Gguf(gpt2);
            case BertConfig bert -> BertGguf.of(bert, folder);
            default ->
                throw unsupported("model_type is " + config.toJson().text("model_type", "unknown")
                        + "; supported are llama, mistral, smollm3, qwen2, qwen3, gemma2, gemma3_text, phi3,"
                        + " olmo2, granite, gpt2 and bert");
        };
    }

    /** An error for something that llama.cpp cannot compute. */
    static IllegalArgumentException unsupported(String what) {
        return new IllegalArgumentException("export gguf: " + what);
    }

    /** @throws IllegalArgumentException unless llama.cpp computes a setting */
    static void require(boolean condition, String architecture, String setting) {
        if (!condition) {
            throw unsupported(setting + ", which llama.cpp does not have in its architecture " + architecture);
        }
    }
}

package io.gradus.train.export;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.bert.BertConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Writes a Hugging Face folder as a GGUF file, for llama.cpp, Ollama and other programs: the weights, the settings of the network,
 * the tokenizer, and the chat template. Only one row of one weight is in memory at a time; of GPT-2, one weight.
 *
 * {@snippet :
 * GgufExport.Written written = GgufExport.of(Path.of("tuned")).as(GgufType.Q8_0).write(Path.of("tuned.gguf"));
 * written.remarks().forEach(System.out::println);
 * }
 *
 * @param folder with the model
 * @param type of the matrices; null for that of the embedding table in the folder. Vectors, norms and tables of positions are F32
 * @param pre llama.cpp's name of the pre-tokenizer; null to find it by the definition in {@code tokenizer.json}
 */
public record GgufExport(
        Path folder, @Nullable GgufType type, @Nullable String pre) {
    private static final int QUANTIZATION_VERSION = 2;

    /** An export of a folder in its own precision. */
    public static GgufExport of(Path folder) {
        return new GgufExport(folder, null, null);
    }

    /** The same in another precision. */
    public GgufExport as(GgufType other) {
        return new GgufExport(folder, other, pre);
    }

    /** The same with a pre-tokenizer whose name llama.cpp knows, such as {@code deepseek-llm}. */
    public GgufExport preTokenizer(String name) {
        return new GgufExport(folder, type, name);
    }

    /**
     * A file that was written.
     *
     * @param architecture llama.cpp's name of the network
     * @param type of most matrices
     * @param tensors in the file
     * @param remarks what is not as in the folder, for the user to know
     */
    public record Written(String architecture, GgufType type, int tensors, long bytes, List<String> remarks) {
        public Written {
            remarks = List.copyOf(remarks);
        }
    }

    /**
     * Writes the file, atomically.
     *
     * @throws IllegalArgumentException if llama.cpp does not have the network, one of its settings, or the tokenizer; says which
     * @throws IOException if the folder has no such model, a weight is not finite or out of the range of the type, or the file
     *     cannot be written
     */
    public Written write(Path file) throws IOException {
        ModelFolder source = source();
        PretrainedModel model = source.loadAbsent(Device.cpu(), DType.F32);
        Architecture architecture = Architecture.of(model.config(), source.path());
        List<String> remarks = new ArrayList<>();
        GgufMetadata metadata = new GgufMetadata(architecture.name(), remarks);
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(source.path())) {
            UnaryOperator<String> names = ModelFolder.tensorNames(model.config(), checkpoint);
            List<GgufTensor> tensors = new ArrayList<>(architecture.computed());
            GgufType chosen = type;
            for (String parameter : model.namedParameters().keySet()) {
                if (architecture.isLeftOut(parameter)) {
                    continue;
                }
                String stored = names.apply(parameter);
                if (chosen == null) {
                    chosen = GgufType.of(DType.valueOf(checkpoint.entry(stored).dtype()));
                }
                Rows rows = architecture.arranged(parameter, Rows.of(checkpoint, stored));
                boolean precise = rows.shape().rank() == 1 || architecture.isPrecise(parameter);
                tensors.add(new GgufTensor(
                        architecture.tensorName(parameter), precise ? GgufType.F32 : fitting(chosen, rows), rows));
            }
            GgufType most = chosen == null ? GgufType.F32 : chosen;
            remark(tensors, most, remarks);
            metadata.text("general.type", "model")
                    .text(
                            "general.name",
                            String.valueOf(folder.toAbsolutePath().normalize().getFileName()))
                    .number("general.file_type", most.fileType())
                    .number("general.quantization_version", QUANTIZATION_VERSION);
            architecture.describe(metadata);
            new TokenizerGguf(Tokenizer.load(source.path()), model.vocabSize(), metadata).describe(pre);
            GgufWriter.write(file, metadata.values(), tensors);
            return new Written(architecture.name(), most, tensors.size(), Files.size(file), remarks);
        }
    }

    /** The folder with the network that llama.cpp has: an encoder without a head, or a decoder with that of language modeling. */
    private ModelFolder source() throws IOException {
        ModelFolder bare = ModelFolder.open(folder).withHead(new Head.None());
        if (bare.config() instanceof BertConfig) {
            return bare;
        }
        Head saved = bare.savedHead();
        if (!(saved instanceof Head.None || saved instanceof Head.LanguageModeling)) {
            throw Architecture.unsupported(
                    folder + " has a head for " + saved.title() + ", which llama.cpp does not have for this network");
        }
        return bare.withHead(new Head.LanguageModeling());
    }

    /** F16 for rows whose length the type cannot store, as in llama.cpp. */
    private static GgufType fitting(GgufType type, Rows rows) {
        return type.fits(rows.columns()) ? type : GgufType.F16;
    }

    private static void remark(List<GgufTensor> tensors, GgufType type, List<String> remarks) {
        long others = tensors.stream()
                .filter(tensor -> tensor.type() == GgufType.F16 && type == GgufType.Q8_0)
                .count();
        if (others > 0) {
            remarks.add(others + " matrices are f16: the length of their rows is not a multiple of 32, as q8_0 needs");
        }
    }
}

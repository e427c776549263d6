package io.gradus.cli;

import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.export.GgufExport;
import io.gradus.train.export.GgufType;
import io.gradus.train.memory.Bytes;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Implements {@code gradus export gguf}. */
@Command(
        name = "gguf",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a model as one GGUF file, for llama.cpp, Ollama, and other programs.",
            "Families: Llama, Mistral, SmolLM3, Qwen2, Qwen3, Gemma 2, Gemma 3, Phi-3, OLMo 2, Granite 3,"
                    + " GPT-2, BERT."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus export gguf --model tuned --out tuned.gguf",
            "  ./gradus export gguf --model tuned --out tuned.gguf --dtype q8_0"
        })
final class ExportGgufCommand implements Callable<Integer> {
    private static final int COLUMN = 9;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "A Hugging Face folder.")
    private Path model = Path.of("");

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FILE",
            required = true,
            description = "The file to write.")
    private Path out = Path.of("");

    @Option(
            names = "--dtype",
            paramLabel = "DTYPE",
            description = "f32, f16, bf16, or q8_0 for the matrices. Default: that of the model.")
    private @Nullable GgufType dtype;

    @Option(
            names = "--pre",
            paramLabel = "NAME",
            description = "llama.cpp's name of the pre-tokenizer, if it is not found by its definition.")
    private @Nullable String pre;

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec);
        GgufExport.Written written;
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("writing " + out.getFileName(), 0, 0));
            written = new GgufExport(model, dtype, pre).write(out);
        }
        terminal.print("network", COLUMN, written.architecture() + " in llama.cpp");
        for (String remark : written.remarks()) {
            terminal.print("note", COLUMN, remark);
        }
        terminal.print(
                "saved",
                COLUMN,
                out + ", " + written.tensors() + " tensors, " + written.type() + ", " + Bytes.format(written.bytes()));
        terminal.out().flush();
        return 0;
    }
}

package io.gradus.cli;

import io.gradus.train.export.Modelfile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Implements {@code gradus export ollama}. */
@Command(
        name = "ollama",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a Modelfile, from which Ollama makes a model: the place of the weights, the chat template in Ollama's"
                    + " language, and the texts that end an answer.",
            "Without --gguf, Ollama converts the folder itself, as it can with Llama, Mistral, Gemma 2 and Phi-3."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus export ollama --model tuned",
            "  ./gradus export ollama --model tuned --gguf tuned.gguf"
        })
final class ExportOllamaCommand implements Callable<Integer> {
    private static final int COLUMN = 9;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "A Hugging Face folder.")
    private Path model = Path.of("");

    @Option(
            names = "--gguf",
            paramLabel = "FILE",
            description = "A file that export gguf made of the folder; the Modelfile is written beside it.")
    private @Nullable Path gguf;

    @Override
    public Integer call() throws Exception {
        Modelfile modelfile = gguf == null ? Modelfile.in(model) : Modelfile.beside(model, gguf);
        modelfile.write();
        Terminal terminal = Terminal.of(spec);
        if (modelfile.template().isEmpty()) {
            terminal.print(
                    "note",
                    COLUMN,
                    modelfile.hasChatTemplate()
                            ? "the chat template has no translation; Ollama looks for a similar one of its own and says so"
                                    + " when it creates the model. If it finds none, write a TEMPLATE."
                            : "the model has no chat template, so the Modelfile has none");
        }
        terminal.print("saved", COLUMN, modelfile.file().toString());
        terminal.print("next", COLUMN, "ollama create my-model -f " + modelfile.file());
        terminal.out().flush();
        return 0;
    }
}

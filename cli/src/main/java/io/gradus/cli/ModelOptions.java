package io.gradus.cli;

import io.gradus.core.Device;
import io.gradus.corpora.BuiltInModel;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that uses a model. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--model", paramLabel = "DIR", description = "A Hugging Face folder. Default: the built-in model.")
    private @Nullable Path model;

    @Option(names = "--device", paramLabel = "DEVICE", description = "cpu (the default) or gpu.", defaultValue = "cpu")
    private String device = "cpu";

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Number of CPU threads. Default: the number of processors.")
    private @Nullable Integer threads;

    ModelFolder folder() throws IOException {
        return ModelFolder.open(model == null ? BuiltInModel.folder() : model);
    }

    /** The chat template of a model that must have one. */
    ChatTemplate chatTemplate(Tokenizer tokenizer) throws IOException {
        return ChatTemplate.choose(null, tokenizer)
                .orElseThrow(() -> new ParameterException(
                        command.commandLine(),
                        "a chat needs a model with a chat template, and " + tokenizer + " has none; add a"
                                + " chat_template.jinja to the folder, or use generate"));
    }

    Device device() {
        if (threads != null && threads < 1) {
            throw new ParameterException(command.commandLine(), "--threads is " + threads + "; it must be at least 1");
        }
        return switch (device) {
            case "cpu" -> threads == null ? Device.cpu() : Device.cpu(threads);
            case "gpu" -> Device.gpu();
            default ->
                throw new ParameterException(
                        command.commandLine(), "--device is '" + device + "'; it must be cpu or gpu");
        };
    }
}

package io.gradus.cli;

import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatSession;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.generate.TextGeneration.End;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TrainingListener.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Implements {@code gradus chat}. */
@Command(
        name = "chat",
        mixinStandardHelpOptions = true,
        description = {
            "Chats with a model that has a chat template. Each line is a message.",
            "/reset begins a new chat; /exit, or the end of the input, ends the program."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus chat --model tuned",
            "  ./gradus chat --model tuned --system \"You are a pirate.\"",
            "  echo \"Who are you?\" | ./gradus chat --model tuned --temperature 0"
        })
final class ChatCommand implements Callable<Integer> {
    private static final String EXIT = "/exit";
    private static final String RESET = "/reset";

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "A message of the system, before all others.")
    private @Nullable String system;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Maximum number of tokens in an answer. Default: ${DEFAULT-VALUE}.",
            defaultValue = "1000")
    private int maxTokens;

    @Override
    public Integer call() throws Exception {
        ModelFolder folder = options.folder();
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        ChatTemplate template = options.chatTemplate(tokenizer);
        TextGeneration generation = sampling.generation(tokenizer, maxTokens, true);
        Terminal terminal = Terminal.of(spec);
        LanguageModel model;
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("loading the model", 0, 0));
            model = folder.load(options.device());
        }
        boolean interactive = System.console() != null && System.console().isTerminal();
        if (interactive) {
            terminal.print(RESET + " begins a new chat, " + EXIT + " ends the program.");
        }
        try (ChatSession session = new ChatSession(model, tokenizer, template, generation)) {
            begin(session);
            converse(session, terminal, interactive);
        }
        return 0;
    }

    private void begin(ChatSession session) {
        session.reset();
        if (system != null) {
            session.add(new ChatMessage(ChatMessage.Role.SYSTEM, system));
        }
    }

    private void converse(ChatSession session, Terminal terminal, boolean interactive) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        while (true) {
            if (interactive) {
                terminal.out().print("\n> ");
                terminal.out().flush();
            }
            String line = in.readLine();
            if (line == null || line.strip().equals(EXIT)) {
                return;
            }
            if (line.strip().equals(RESET)) {
                begin(session);
            } else if (line.strip().matches("/\\w+")) {
                Terminal.printError(
                        line.strip() + " is no command; there are " + RESET + " and " + EXIT,
                        spec.commandLine().getErr());
            } else if (!line.isBlank()) {
                answer(session, line, terminal);
            }
        }
    }

    private void answer(ChatSession session, String line, Terminal terminal) {
        WordWrap answer = new WordWrap(terminal.out(), terminal.width());
        ChatSession.Answer said;
        try {
            said = session.say(line, answer::print);
        } catch (IllegalArgumentException e) {
            Terminal.printError(ErrorMessage.of(e), spec.commandLine().getErr());
            return;
        }
        answer.end();
        if (said.end() != End.STOP) {
            note(said.end() == End.MAX_TOKENS ? "cut after --max-tokens " + maxTokens : "cut: the context is full");
        }
        if (said.forgotten() > 0) {
            note(String.format(
                    Locale.ROOT,
                    "the context was full; %,d old messages with their answers dropped",
                    said.forgotten()));
        }
    }

    private void note(String text) {
        spec.commandLine().getErr().println("(" + text + ")");
        spec.commandLine().getErr().flush();
    }
}

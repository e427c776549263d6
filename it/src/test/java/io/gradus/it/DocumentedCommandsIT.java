package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The shell commands of the documentation work in a fresh copy of the sources, which the launcher builds. Each command is run,
 * if necessary with fewer steps, or listed with the reason why it is not.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DocumentedCommandsIT {
    private static final Path COPY = SourceCopy.FOLDER;

    /** The commands that are run, and keys that make them shorter. */
    private static final Map<String, String> RUN = new LinkedHashMap<>();

    /** Patterns of commands that are not run, with the reason. */
    private static final Map<String, String> NOT_RUN = new LinkedHashMap<>();

    static {
        String few = " steps=2 batch_size=1 data.max_seq_len=32 max_eval_blocks=2 sample.max_tokens=4";
        RUN.put("./gradus finetune output=tuned", few);
        RUN.put("./gradus generate --model tuned --prompt \"public static \" --temperature 0.5", " --max-tokens 8");
        RUN.put(
                "./gradus finetune task=sequence_classification data.train=examples/data/issues.csv epochs=6 output=issues",
                " epochs=1 max_eval_blocks=2");
        RUN.put("./gradus predict --model issues --data new.csv", "");
        RUN.put("./gradus finetune model.path=my-llama data.train=corpus.txt output=my-tuned steps=300", few);
        RUN.put("./gradus finetune recipe.yaml learning_rate=1e-4", "");
        RUN.put("./gradus finetune recipe.yaml --dry-run", "");
        RUN.put("./gradus finetune recipe.yaml learning_rate=1e-4 --resume", "");
        RUN.put("./gradus finetune --show-keys", "");
        RUN.put("./gradus memory --model my-llama --compare", " data.max_seq_len=32");
        RUN.put("./gradus lr recipe.yaml", " --steps=20");
        RUN.put("./gradus evaluate --model my-tuned --data held-out.txt", "");
        RUN.put("./gradus export gguf --model my-tuned --out tuned.gguf", "");
        RUN.put("./gradus export gguf --model my-tuned --out tuned.gguf --dtype q8_0", "");
        RUN.put("./gradus export ollama --model my-tuned --gguf tuned.gguf", "");
        RUN.put("./gradus delta diff my-llama my-tuned -o change.safetensors", "");
        RUN.put("./gradus inspect my-tuned", "");
        RUN.put("./gradus devices", "");
        RUN.put("./gradus memory --model llama-7b --ranks 8 --bandwidth 10,100", "");
        RUN.put("./gradus example ThreeLayerMlp", "");
        NOT_RUN.put("\\./mvnw .*", "it is the build that runs this test, or a part of it");
        NOT_RUN.put("(mpirun|srun) .*", "it needs MPI");
        NOT_RUN.put("export .*|RANK=.*|cat hosts", "it is a part of a job; ParallelRunTest starts jobs");
        NOT_RUN.put(
                "for .*|done|.* --model \\$model .*", "MemoryCommandTest compares what it prints with the document");
        NOT_RUN.put("bench/hosts\\.sh .*", "it makes network namespaces, as root");
        NOT_RUN.put("\\./gradus jshell", "it waits for input; JShellStartupTest runs its imports");
        NOT_RUN.put("\\./gradus chat .*", "it needs a model with a chat template; ChatCommandTest runs it");
        NOT_RUN.put("\\./gradus study .*", "it takes minutes; the tests of studies run them with fewer steps");
        NOT_RUN.put("sdk install .*|.* device=gpu", "it needs a GPU");
        NOT_RUN.put("\\./gradus finetune (forgetting|memory|study)/.*", "it repeats a run of a study");
    }

    @BeforeAll
    static void writeInputs() throws Exception {
        SourceCopy.require();
        String model = "corpora/src/main/resources/io/gradus/corpora/tiny-llama";
        sh("cp -r " + model + " my-llama && cp README.md corpus.txt && cp CONTRIBUTING.md held-out.txt");
        Files.writeString(COPY.resolve("new.csv"), "text\nThe page is empty after I log in.\n");
        Files.writeString(COPY.resolve("recipe.yaml"), """
            model: {path: my-llama}
            data: {train: corpus.txt, max_seq_len: 32}
            output: from-recipe
            steps: 2
            save_steps: 1
            batch_size: 1
            max_eval_blocks: 2
            sample: {max_tokens: 4}
            """);
    }

    /** Runs a script in the copy, as on a machine without a UTF-8 locale. */
    private static String sh(String script) throws IOException, InterruptedException {
        return SourceCopy.sh("LC_ALL=C", script);
    }

    /** The commands in the blocks marked {@code sh}, in their order, without comments. */
    private static List<String> documented() throws IOException {
        List<Path> documents = new ArrayList<>(
                List.of(ExternalBuild.ROOT.resolve("README.md"), ExternalBuild.ROOT.resolve("CONTRIBUTING.md")));
        try (Stream<Path> docs = Files.list(ExternalBuild.ROOT.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(documents::add);
        }
        List<String> commands = new ArrayList<>();
        for (Path document : documents) {
            Pattern.compile("```sh\n(.*?)```", Pattern.DOTALL)
                    .matcher(Files.readString(document))
                    .results()
                    .flatMap(
                            block -> block.group(1).replaceAll("\\\\\n\\s*", "").lines())
                    .map(line -> line.replaceFirst("(^|\\s+)#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .forEach(commands::add);
        }
        return commands;
    }

    private static boolean isListed(String command) {
        return NOT_RUN.keySet().stream().anyMatch(command::matches);
    }

    @Test
    @Order(1)
    void everyDocumentedCommandIsRunOrListedWithAReason() throws IOException {
        List<String> documented = documented();
        assertThat(documented)
                .filteredOn(command -> !RUN.containsKey(command))
                .allMatch(DocumentedCommandsIT::isListed, "is run by this test, or listed with the reason why not");
        assertThat(documented).containsAll(RUN.keySet());
    }

    @Test
    @Order(2)
    void documentedCommandsWork() throws Exception {
        for (String command : documented().stream().distinct().toList()) {
            if (RUN.containsKey(command)) {
                assertThat(sh(command + RUN.get(command))).as(command).isNotBlank();
            }
        }
        assertThat(COPY.resolve("tuned/report.html")).exists();
        assertThat(COPY.resolve("change.safetensors")).exists();
    }
}

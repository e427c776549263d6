package io.gradus.train.export;

import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A {@code Modelfile}, from which Ollama makes a model: {@code ollama create my-model -f Modelfile}. It says where the weights are,
 * how a chat is written, and at which texts an answer ends. Ollama does not use the chat template of a GGUF file or a folder but
 * looks for a similar one among its own, so the template is translated here.
 *
 * {@snippet :
 * Modelfile.beside(Path.of("tuned"), Path.of("tuned.gguf")).write();
 * }
 *
 * @param file to write
 * @param from the value of {@code FROM}, relative to the file
 * @param stops texts that end an answer
 * @param template of chats, in Go's language; empty if the model has none that can be translated
 * @param hasChatTemplate whether the model has a chat template
 * @param contextLength in tokens
 * @see <a href="https://docs.ollama.com/modelfile">the format</a>
 */
public record Modelfile(
        Path file,
        String from,
        List<String> stops,
        Optional<String> template,
        boolean hasChatTemplate,
        int contextLength) {
    private static final String NAME = "Modelfile";

    /** Ollama reserves memory for the whole context. */
    private static final int LARGEST_CONTEXT = 8192;

    /** The file in the folder of a model, whose weights Ollama converts itself. It can do so with some families. */
    public static Modelfile in(Path folder) throws IOException {
        return of(folder, folder.resolve(NAME), ".");
    }

    /**
     * The file beside a GGUF file.
     *
     * @param folder from which it was exported
     */
    public static Modelfile beside(Path folder, Path gguf) throws IOException {
        return of(folder, gguf.resolveSibling(NAME), "./" + gguf.getFileName());
    }

    private static Modelfile of(Path folder, Path file, String from) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        Optional<ChatTemplate> template = ChatTemplate.choose(null, tokenizer);
        String bos =
                tokenizer.addsBos() ? tokenizer.spell(new int[] {tokenizer.bos().orElseThrow()}) : "";
        return new Modelfile(
                file,
                from,
                new TreeSet<>(tokenizer.eosIds())
                        .stream().map(id -> tokenizer.spell(new int[] {id})).toList(),
                template.flatMap(found -> OllamaTemplate.of(found, bos)).map(OllamaTemplate::toString),
                template.isPresent(),
                ModelFolder.open(folder).config().maxPositionEmbeddings());
    }

    /** Writes the file, atomically. */
    public void write() throws IOException {
        AtomicFile.write(file, toString());
    }

    /** The text of the file. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("# ollama create my-model -f " + file.getFileName() + "\nFROM " + from
                + "\nPARAMETER num_ctx " + Math.min(contextLength, LARGEST_CONTEXT) + "\n");
        stops.forEach(
                stop -> text.append("PARAMETER stop ").append(quoted(stop)).append('\n'));
        template.ifPresent(go -> text.append("TEMPLATE \"\"\"").append(go).append("\"\"\"\n"));
        return text.toString();
    }

    private static String quoted(String text) {
        String quotes = text.contains("\"") ? "\"\"\"" : "\"";
        return quotes + text + quotes;
    }
}

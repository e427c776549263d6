package io.gradus.nn.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.FileNames;
import io.gradus.core.WholeFile;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The list of the parts of a model of sentence-transformers, {@value #FILE}: the network first, then what makes vectors of its
 * result. Older versions keep the network in a folder of its own, {@code 0_Transformer}.
 *
 * @param kind of a part, such as {@code Pooling}
 * @param folder of its files
 */
public record SentenceModules(String kind, Path folder) {
    /** The file's name. */
    public static final String FILE = "modules.json";

    /** The longest name of a file in most file systems. */
    private static final int LONGEST = 255;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Whether a folder has the file. */
    public static boolean areIn(Path folder) {
        return Files.isRegularFile(folder.resolve(FILE));
    }

    /**
     * Reads the file of a folder.
     *
     * @return at least one part
     * @throws IOException if the file is missing or malformed, or names a folder elsewhere; the message names it
     */
    public static List<SentenceModules> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        List<SentenceModules> modules = new ArrayList<>();
        for (JsonNode module : list(file)) {
            if (!module.path("type").isTextual() || !module.path("path").isTextual()) {
                throw new IOException(file + ": a module is " + JsonProblem.brief(module)
                        + "; it must have a \"type\" and a \"path\" that are texts");
            }
            String type = module.path("type").textValue();
            modules.add(new SentenceModules(
                    type.substring(type.lastIndexOf('.') + 1),
                    within(folder, module.path("path").textValue())));
        }
        return modules;
    }

    private static JsonNode list(Path file) throws IOException {
        try {
            JsonNode list = JSON.readTree(WholeFile.text(file));
            if (list.isArray() && !list.isEmpty()) {
                return list;
            }
            throw new IOException(file + " is not a list of modules");
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not UTF-8; save it in that encoding, or download it again", e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not JSON: " + JsonProblem.of(e), e);
        }
    }

    private static Path within(Path folder, String path) throws IOException {
        if (path.length() > LONGEST) {
            throw new IOException(folder.resolve(FILE) + ": the path of a module is "
                    + JsonProblem.brief("'" + path + "'") + ", which is too long for the name of a folder");
        }
        try {
            Path found = folder.resolve(FileNames.path(path));
            if (found.normalize().startsWith(folder.normalize())) {
                return path.isEmpty() ? folder : found;
            }
        } catch (InvalidPathException e) {
            throw new IOException(folder.resolve(FILE) + ": " + FileNames.problem(e), e);
        }
        throw new IOException(folder.resolve(FILE) + ": the path of a module is " + JsonProblem.brief("'" + path + "'")
                + ", which is not in the same folder");
    }

    /**
     * The folder of the network: what the file says, or the folder itself if it has none.
     *
     * @throws IOException as {@link #read}
     */
    static Path network(Path folder) throws IOException {
        return areIn(folder) ? read(folder).getFirst().folder() : folder;
    }

    /**
     * The folder with the file that names a network's folder as that of its first part: the same, or in older versions the one
     * around it.
     *
     * @param network an opened folder
     * @return the network's folder if there is no such file
     * @throws IOException as {@link #read}
     */
    public static Path around(Path network) throws IOException {
        Path around = network.toAbsolutePath().normalize().getParent();
        return !areIn(network)
                        && around != null
                        && areIn(around)
                        && Files.isSameFile(network, read(around).getFirst().folder())
                ? around
                : network;
    }
}

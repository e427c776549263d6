package io.gradus.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoints of a run: {@code checkpoints/step-000100} is a Hugging Face folder with {@code optimizer.safetensors} and
 * {@code state.json} beside the weights. A checkpoint is written under another name and renamed when it is whole.
 *
 * <p>The place in the data and the random numbers need no file: both follow from the seed and the number of the step.
 *
 * @param folder of the run
 */
record Checkpoints(Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PREFIX = "step-";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "state.json";

    /** Keys that may change between a run and its continuation: no weight depends on them. */
    private static final Set<String> FREE_KEYS = Set.of(
            "output",
            "resume",
            "threads",
            "evaluate_every",
            "evaluate_blocks",
            "checkpoint_every",
            "keep_checkpoints",
            "check_first_loss",
            "sample.prompt",
            "sample.max_tokens",
            "sample.temperature");

    /**
     * A complete checkpoint.
     *
     * @param step steps made
     * @param recipe that the run was started with
     * @param before losses before the first step, by the name of the text
     */
    record Checkpoint(Path path, int step, Map<String, String> recipe, Map<String, Double> before) {}

    /** Writes a model and whatever else into a folder. */
    @FunctionalInterface
    interface ModelWriter {
        void write(Path folder) throws IOException;
    }

    /** The newest checkpoint, if there is one. */
    Optional<Checkpoint> newest() throws IOException {
        List<Path> complete = complete();
        return complete.isEmpty() ? Optional.empty() : Optional.of(open(complete.getLast()));
    }

    private static Checkpoint open(Path path) throws IOException {
        JsonNode state;
        try {
            state = JSON.readTree(path.resolve(STATE).toFile());
        } catch (IOException e) {
            throw damaged(path, e);
        }
        if (!state.path("step").isInt()) {
            throw damaged(path, null);
        }
        Map<String, String> recipe = new TreeMap<>();
        state.path("recipe")
                .properties()
                .forEach(entry -> recipe.put(entry.getKey(), entry.getValue().asText()));
        Map<String, Double> before = new LinkedHashMap<>();
        state.path("before")
                .properties()
                .forEach(entry -> before.put(entry.getKey(), entry.getValue().doubleValue()));
        return new Checkpoint(path, state.path("step").intValue(), recipe, before);
    }

    private static IOException damaged(Path path, @Nullable IOException cause) {
        return new IOException(
                path + ": its " + STATE + " is missing or damaged; delete this folder to go on without it", cause);
    }

    /** Makes the folder of the run, and removes what a killed run left half-done there. */
    void prepareFolder() throws IOException {
        Files.createDirectories(folder);
        for (Path left : list(folder, ".+\\.[0-9a-f]{16}\\.tmp")) { // see AtomicFile
            Files.deleteIfExists(left);
        }
        for (Path left : list(checkpoints(), PREFIX + "\\d+\\.(tmp|old)")) {
            delete(left);
        }
    }

    /** Complete checkpoints, oldest first. */
    private List<Path> complete() throws IOException {
        return list(checkpoints(), PREFIX + "\\d{1,9}").stream()
                .sorted(Comparator.comparingInt(Checkpoints::stepOf))
                .toList();
    }

    private static List<Path> list(Path folder, String name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.filter(path -> path.getFileName().toString().matches(name))
                    .toList();
        }
    }

    private static int stepOf(Path path) {
        return Integer.parseInt(path.getFileName().toString().substring(PREFIX.length()));
    }

    private Path checkpoints() {
        return folder.resolve("checkpoints");
    }

    /**
     * Writes a checkpoint and then deletes all but the newest.
     *
     * @param step steps made
     * @param recipe of the run; says how many to keep
     * @param before losses before the first step
     */
    Path write(int step, Recipe recipe, Map<String, Double> before, ModelWriter model, Optimizer optimizer)
            throws IOException {
        Path target = checkpoints().resolve(String.format("%s%06d", PREFIX, step));
        Path temporary = unfinished(target);
        Files.createDirectories(temporary);
        model.write(temporary);
        List<NamedTensor> state = new ArrayList<>();
        optimizer.state().forEach((name, tensor) -> state.add(NamedTensor.of(name, tensor)));
        SafetensorsWriter.write(temporary.resolve(OPTIMIZER), state, Map.of());
        ObjectNode json = JSON.createObjectNode().put("step", step);
        json.set("recipe", JSON.valueToTree(recipe.toMap()));
        json.set("before", JSON.valueToTree(before));
        AtomicFile.write(temporary.resolve(STATE), json.toPrettyString() + "\n");
        discard(target);
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        List<Path> complete = complete();
        for (Path old : complete.subList(0, Math.max(0, complete.size() - recipe.keepCheckpoints()))) {
            discard(old);
        }
        return target;
    }

    /** Gives the optimiser back what it remembered. */
    static void restore(Checkpoint checkpoint, Optimizer optimizer, Device device) throws IOException {
        try (Scope _ = Scope.open("restore");
                SafetensorsCheckpoint file =
                        SafetensorsCheckpoint.open(checkpoint.path().resolve(OPTIMIZER))) {
            Map<String, Tensor> state = new HashMap<>();
            for (String name : file.names()) {
                DType dtype = name.endsWith(".step") ? DType.I32 : DType.F32;
                state.put(name, file.read(name, device, dtype, MemoryCategory.WORKSPACE));
            }
            optimizer.load(state);
        }
    }

    /**
     * Checks that a run is continued with the recipe that it was started with.
     *
     * @throws RecipeException naming the keys that differ
     */
    static void requireSame(Checkpoint checkpoint, Recipe recipe) {
        Map<String, String> before = checkpoint.recipe();
        Map<String, String> now = recipe.toMap();
        List<String> changed = now.keySet().stream()
                .filter(key -> !FREE_KEYS.contains(key) && !Objects.equals(now.get(key), before.get(key)))
                .map(key -> key + " was " + before.get(key) + " and is " + now.get(key))
                .toList();
        if (!changed.isEmpty()) {
            throw new RecipeException("resume continues a run as it was begun, but " + String.join(", ", changed));
        }
    }

    /** The name under which a checkpoint is written or deleted; what a crash left there is removed. */
    private static Path unfinished(Path checkpoint) throws IOException {
        Path path = checkpoint.resolveSibling(checkpoint.getFileName() + ".tmp");
        delete(path);
        return path;
    }

    /** Deletes a checkpoint such that a half of it is never taken for a whole one. */
    private static void discard(Path checkpoint) throws IOException {
        if (Files.exists(checkpoint)) {
            Path doomed = checkpoint.resolveSibling(checkpoint.getFileName() + ".old");
            delete(doomed);
            Files.move(checkpoint, doomed, StandardCopyOption.ATOMIC_MOVE);
            delete(doomed);
        }
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(path)) {
            for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}

package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.core.safetensors.StreamedTensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * ΔW: the weights of a fine-tuned model minus those of its base, as a file with statistics. The statistics are computed when the
 * delta is made, so that reading them needs only the file.
 *
 * <pre>{@code
 * Delta delta = Delta.diff(Path.of("llama"), Path.of("tuned"), Path.of("shakespeare.safetensors"));
 * System.out.println(delta.total().relativeNorm());
 * DeltaSum.of(Path.of("llama")).plus(delta.file(), 1).write(Path.of("tuned-again")); // the bits of "tuned"
 * }</pre>
 *
 * <p><b>The file</b> is safetensors. Under each tensor's own name is Δ = fl(θ − θ₀), in the dtype of the tuned model, so that any
 * program can add it; an unchanged tensor is omitted. Subtraction rounds, so θ₀ + Δ is not always θ. Where it is not,
 * {@code NAME@corrected_at} lists the indices (ascending, in the flattened tensor, I32 read as unsigned) and {@code
 * NAME@corrected_to} the elements of θ there. With factor 1 on its own base, the result is θ bit for bit. With another factor,
 * or with other deltas, only Δ is used, which is θ − θ₀ to within half a unit in the last place. The metadata names both models,
 * with SHA-256 hashes, and holds the statistics as JSON. It also has the files of the tuned model that say how the weights are
 * used, such as {@code generation_config.json}, if they differ from the base's.
 *
 * @param file the file
 * @param base the base model
 * @param tuned the fine-tuned model
 * @param tensors of the tuned model, in its order
 * @param leftOut tensors of either model that are not in the delta, because they are not weights (causal masks, rotary
 *     frequencies) or duplicate a weight
 * @param files of the tuned model besides its weights that differ from the base's, ordered by name
 */
public record Delta(
        Path file, Origin base, Origin tuned, List<TensorDelta> tensors, List<String> leftOut, List<DeltaFile> files) {

    /**
     * One of the two models of a delta.
     *
     * @param name of its folder
     * @param sha256 of all its tensors, independent of shards: the hash of one line {@code name dtype shape hash} for
     *     each tensor, ordered by name
     */
    public record Origin(String name, String sha256) {}

    public Delta {
        tensors = List.copyOf(tensors);
        leftOut = List.copyOf(leftOut);
        files = List.copyOf(files);
    }

    /**
     * Writes the delta of two models. Each may have its own dtype (F32, BF16 or F16) and its own shards.
     *
     * @param base a Hugging Face folder or a safetensors file
     * @param tuned the fine-tuned model
     * @param file to write, atomically; replaces an older delta
     * @throws IOException if the two are not checkpoints of one architecture, if a tensor has another dtype or an element that is
     *     NaN or infinite, or if {@code file} exists and is not a delta
     */
    public static Delta diff(Path base, Path tuned, Path file) throws IOException {
        requireFree(file);
        try (SafetensorsCheckpoint before = SafetensorsCheckpoint.open(base);
                SafetensorsCheckpoint after = SafetensorsCheckpoint.open(tuned)) {
            Pairing pairing = Pairing.of(before, after);
            Map<String, String> hashesBefore = TensorHashes.ofTensors(before);
            Map<String, String> hashesAfter = TensorHashes.ofTensors(after);
            Map<String, Difference.Measured> measured = measure(pairing, before, after);
            List<TensorDelta> tensors = new ArrayList<>();
            for (Map.Entry<String, String> pair : pairing.from().entrySet()) {
                String name = pair.getKey();
                String from = pair.getValue();
                tensors.add(tensor(
                        after.entry(name),
                        hashesAfter.getOrDefault(name, ""),
                        before.entry(from),
                        hashesBefore.getOrDefault(from, ""),
                        Objects.requireNonNull(measured.get(name))));
            }
            Delta delta = new Delta(
                    file,
                    new Origin(name(base), TensorHashes.ofCheckpoint(before, hashesBefore)),
                    new Origin(name(tuned), TensorHashes.ofCheckpoint(after, hashesAfter)),
                    tensors,
                    pairing.leftOut(),
                    FolderFiles.read(base).changesTo(FolderFiles.read(tuned)));
            SafetensorsWriter.write(file, delta.contents(before, after, measured), DeltaMetadata.of(delta));
            return delta;
        } catch (UncheckedIOException e) { // from a tensor that was computed while the file was written
            throw e.getCause();
        }
    }

    /**
     * Reads the metadata of a delta, but not its tensors.
     *
     * @throws IOException if the file is not a delta, is damaged, or was written by a later version
     */
    public static Delta read(Path file) throws IOException {
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            return DeltaMetadata.read(opened);
        }
    }

    /** The change of the whole model. */
    public Change total() {
        return tensors.stream().map(TensorDelta::change).reduce(Change.NONE, Change::plus);
    }

    /** Changes by tensor. */
    public SequencedMap<String, Change> byTensor() {
        return LayerNames.byTensor(tensors);
    }

    /** Changes by layer ({@code layers.0}, {@code layers.1}, …) and by module outside the layers, such as {@code embed_tokens}. */
    public SequencedMap<String, Change> byLayer() {
        return LayerNames.byLayer(tensors);
    }

    /** The dtypes of the tuned model, such as {@code BF16}. */
    public String dtypes() {
        return tensors.stream()
                .map(tensor -> tensor.dtype().name())
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }

    // ---- making one ----

    /** Prevents a mistyped {@code -o} from overwriting a model. */
    private static void requireFree(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return;
        }
        try {
            read(file);
        } catch (IOException e) {
            throw new IOException(file + " exists and is not a delta; name another file, or delete it", e);
        }
    }

    private static String name(Path model) {
        Path path = model.toAbsolutePath().normalize();
        Path name = path.getFileName();
        return name == null ? path.toString() : name.toString();
    }

    /** Measures tensors in parallel; the results, and which problem is reported, do not depend on the number of threads. */
    private static Map<String, Difference.Measured> measure(
            Pairing pairing, SafetensorsCheckpoint before, SafetensorsCheckpoint after) throws IOException {
        Map<String, Difference.Measured> measured = new ConcurrentHashMap<>();
        Map<String, IOException> problems = new ConcurrentHashMap<>();
        pairing.from().entrySet().parallelStream().forEach(pair -> {
            try {
                Difference difference = difference(before, pair.getValue(), after, pair.getKey());
                measured.put(pair.getKey(), difference.measure());
            } catch (IOException e) {
                problems.put(pair.getKey(), e);
            }
        });
        for (String name : pairing.from().keySet()) {
            IOException problem = problems.get(name);
            if (problem != null) {
                throw problem;
            }
        }
        return measured;
    }

    private static TensorDelta tensor(
            Entry after, String hashAfter, Entry before, String hashBefore, Difference.Measured measured) {
        return new TensorDelta(
                after.name(),
                before.name(),
                Pairing.dtype(after),
                Pairing.dtype(before),
                after.shape(),
                hashAfter,
                hashBefore,
                measured.change(),
                measured.corrections(),
                measured.inexpressible());
    }

    private static Difference difference(
            SafetensorsCheckpoint before, String from, SafetensorsCheckpoint after, String name) throws IOException {
        return new Difference(StoredElements.of(before, from), StoredElements.of(after, name));
    }

    /** The tensors of the file; each difference is computed again when it is written. */
    private List<NamedTensor> contents(
            SafetensorsCheckpoint before, SafetensorsCheckpoint after, Map<String, Difference.Measured> measured)
            throws IOException {
        StreamedTensors one = new StreamedTensors();
        List<NamedTensor> contents = new ArrayList<>();
        for (TensorDelta tensor : tensors) {
            if (!tensor.isStored()) {
                continue;
            }
            String name = tensor.name();
            DType dtype = tensor.dtype();
            Shape shape = tensor.shape();
            String from = tensor.from();
            contents.add(one.tensor(
                    name,
                    dtype,
                    shape,
                    () -> difference(before, from, after, name).delta(shape)));
            if (tensor.corrections() > 0) {
                Shape list = Shape.of(DeltaMetadata.corrections(tensor));
                Difference.Measured found = Objects.requireNonNull(measured.get(name));
                contents.add(one.tensor(
                        name + TensorDelta.CORRECTED_AT,
                        DType.I32,
                        list,
                        () -> difference(before, from, after, name).correctedAt(found)));
                contents.add(one.tensor(
                        name + TensorDelta.CORRECTED_TO,
                        dtype,
                        list,
                        () -> difference(before, from, after, name).correctedTo(found)));
            }
        }
        return contents;
    }
}

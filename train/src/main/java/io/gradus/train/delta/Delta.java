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
 * ΔW: what fine-tuning added to a model, as a file and what is known about it. Making one computes the statistics, so that
 * reading them back needs the file alone.
 *
 * <pre>{@code
 * Delta delta = Delta.diff(Path.of("llama"), Path.of("tuned"), Path.of("shakespeare.safetensors"));
 * System.out.println(delta.total().relativeNorm());
 * DeltaSum.of(Path.of("llama")).plus(delta.file(), 1).write(Path.of("tuned-again")); // the bits of "tuned"
 * }</pre>
 *
 * <p><b>The file</b> is safetensors. Under each tensor's own name is Δ = fl(θ − θ₀), in the dtype of the tuned model, so that any
 * program can add it; a tensor that did not move is not there. Subtraction rounds, and θ₀ + Δ is not always θ: where it is
 * not, {@code NAME@corrected_at} lists the places (ascending, in the flattened tensor, I32 read as unsigned) and {@code
 * NAME@corrected_to} the elements of θ there. With factor 1 on its own base the result is θ bit for bit; with another factor
 * or among others Δ alone counts, which is θ − θ₀ to within half a unit in its last place. The metadata names both models,
 * with SHA-256 hashes, and holds the statistics as JSON.
 *
 * @param file where it is
 * @param base what was trained on
 * @param tuned what came out
 * @param tensors of the tuned model, in its order
 * @param leftOut tensors of either side that the delta has nothing of, because they are no weights (tables of a causal mask,
 *     of rotary frequencies) or repeat a weight that the tuned model has once
 */
public record Delta(Path file, Origin base, Origin tuned, List<TensorDelta> tensors, List<String> leftOut) {

    /**
     * A model that a delta came from.
     *
     * @param name of its folder
     * @param sha256 of all its tensors, however they are divided into files: of a line {@code name dtype shape hash} for
     *     each, in the order of the names
     */
    public record Origin(String name, String sha256) {}

    public Delta {
        tensors = List.copyOf(tensors);
        leftOut = List.copyOf(leftOut);
    }

    /**
     * Writes what a model moved. Either side may have its own dtype (F32, BF16 or F16) and its own shards.
     *
     * @param base a Hugging Face folder or a safetensors file
     * @param tuned the same model, trained
     * @param file what to write, whole or not at all; an older delta there is replaced
     * @throws IOException when the two are not checkpoints of one architecture, one has tensors of another kind, or {@code
     *     file} exists and is no delta
     */
    public static Delta diff(Path base, Path tuned, Path file) throws IOException {
        requireFree(file);
        try (SafetensorsCheckpoint before = SafetensorsCheckpoint.open(base);
                SafetensorsCheckpoint after = SafetensorsCheckpoint.open(tuned)) {
            Pairing pairing = Pairing.of(before, after);
            Map<String, String> hashesBefore = Sha256.ofTensors(before);
            Map<String, String> hashesAfter = Sha256.ofTensors(after);
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
                    new Origin(name(base), Sha256.ofCheckpoint(before, hashesBefore)),
                    new Origin(name(tuned), Sha256.ofCheckpoint(after, hashesAfter)),
                    tensors,
                    pairing.leftOut());
            SafetensorsWriter.write(file, delta.contents(before, after, measured), DeltaMetadata.of(delta));
            return delta;
        } catch (UncheckedIOException e) { // from a tensor that was computed while the file was written
            throw e.getCause();
        }
    }

    /**
     * Reads what is known about a delta; its tensors are not touched.
     *
     * @throws IOException when the file is no delta, is damaged or was written by a later version
     */
    public static Delta read(Path file) throws IOException {
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            return DeltaMetadata.read(opened);
        }
    }

    /** Of the whole model. */
    public Change total() {
        return tensors.stream().map(TensorDelta::change).reduce(Change.NONE, Change::plus);
    }

    /** By the name of the tensor. */
    public SequencedMap<String, Change> byTensor() {
        return LayerNames.byTensor(tensors);
    }

    /** By layer: {@code layers.0}, {@code layers.1} and so on, and each module outside them, as {@code embed_tokens}. */
    public SequencedMap<String, Change> byLayer() {
        return LayerNames.byLayer(tensors);
    }

    /** The dtype of the tuned model, as {@code BF16}, or several. */
    public String dtypes() {
        return tensors.stream()
                .map(tensor -> tensor.dtype().name())
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }

    // ---- making one ----

    /** A mistyped {@code -o} must not cost anybody a model. */
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

    /** Tensors are measured on all processors; what is said of each does not depend on how many there are. */
    private static Map<String, Difference.Measured> measure(
            Pairing pairing, SafetensorsCheckpoint before, SafetensorsCheckpoint after) throws IOException {
        Map<String, Difference.Measured> measured = new ConcurrentHashMap<>();
        try {
            pairing.from().entrySet().parallelStream().forEach(pair -> {
                try {
                    Difference difference = difference(before, pair.getValue(), after, pair.getKey());
                    measured.put(pair.getKey(), difference.measure());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return measured;
    }

    private static TensorDelta tensor(
            Entry after, String hashAfter, Entry before, String hashBefore, Difference.Measured measured) {
        DType dtype = Pairing.dtype(after);
        DType baseDtype = Pairing.dtype(before);
        // What has the same bytes is copied and needs no correction, whatever arithmetic makes of a NaN.
        boolean same = dtype == baseDtype && hashAfter.equals(hashBefore);
        return new TensorDelta(
                after.name(),
                before.name(),
                dtype,
                baseDtype,
                after.shape(),
                hashAfter,
                hashBefore,
                measured.change(),
                same ? 0 : measured.corrections(),
                same ? 0 : measured.inexpressible());
    }

    private static Difference difference(
            SafetensorsCheckpoint before, String from, SafetensorsCheckpoint after, String name) throws IOException {
        return new Difference(
                before.bytes(from),
                Pairing.dtype(before.entry(from)),
                after.bytes(name),
                Pairing.dtype(after.entry(name)),
                after.entry(name).shape().size());
    }

    /** What the file holds; the differences are computed again when their turn comes. */
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

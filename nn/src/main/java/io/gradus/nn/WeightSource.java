package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Names;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where a model's parameters come from. A layer asks for each by name and shape; whether it is then drawn at random or read
 * from a checkpoint is decided here.
 *
 * <pre>{@code
 * WeightSource weights = WeightSource.random(Device.cpu(), 42);
 * Variable up = weights.in("model").in("layers").in(3).in("mlp").in("up_proj").parameter("weight", shape, init);
 * up.name();   // model.layers.3.mlp.up_proj.weight
 * }</pre>
 *
 * Of a checkpoint, {@link #requireAllLoaded} says at the end which names were missing, unexpected, or of another shape, all at once.
 */
public final class WeightSource {
    private final Source source;
    private final String prefix;
    private final DType dtype;

    private WeightSource(Source source, String prefix, DType dtype) {
        this.source = source;
        this.prefix = prefix;
        this.dtype = dtype;
    }

    /** What all views of one set of weights share. */
    private static final class Source {
        private final Device device;
        private final long seed;
        private final @Nullable SafetensorsCheckpoint checkpoint;
        private final UnaryOperator<String> inFile;
        /** Names in the file. */
        private final Set<String> asked = new LinkedHashSet<>();

        private final Set<String> missing = new LinkedHashSet<>();
        private final Set<String> misshapen = new LinkedHashSet<>();

        Source(Device device, long seed, @Nullable SafetensorsCheckpoint checkpoint, UnaryOperator<String> inFile) {
            this.device = device;
            this.seed = seed;
            this.checkpoint = checkpoint;
            this.inFile = inFile;
        }
    }

    /** Parameters drawn by their initialisers; the n-th one depends on the seed and on n alone. */
    public static WeightSource random(Device device, long seed) {
        return new WeightSource(new Source(device, seed, null, UnaryOperator.identity()), "", DType.F32);
    }

    /** Parameters read from a checkpoint, as {@link DType#F32} unless {@linkplain #to told otherwise}. */
    public static WeightSource from(SafetensorsCheckpoint checkpoint, Device device) {
        return from(checkpoint, device, UnaryOperator.identity());
    }

    /**
     * Parameters read from a checkpoint that knows them by other names.
     *
     * @param inFile from a parameter's name to that in the file; no two to the same
     */
    public static WeightSource from(SafetensorsCheckpoint checkpoint, Device device, UnaryOperator<String> inFile) {
        return new WeightSource(new Source(device, 0, checkpoint, inFile), "", DType.F32);
    }

    /** The weights of a part: names get {@code name.} in front. */
    public WeightSource in(String name) {
        return new WeightSource(source, prefix + name + ".", dtype);
    }

    /** The weights of the n-th of several parts, from 0. */
    public WeightSource in(int index) {
        return in(Integer.toString(index));
    }

    /**
     * The same weights, kept in another dtype: BF16 or F16 for training in mixed precision.
     *
     * @throws IllegalArgumentException when it is no dtype for parameters
     */
    public WeightSource to(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException("weights: parameters cannot be " + dtype + "; use F32, BF16 or F16");
        }
        return new WeightSource(source, prefix, dtype);
    }

    /** Where the parameters will live. */
    public Device device() {
        return source.device;
    }

    /** Whether the checkpoint has this name; true without a checkpoint, where every name can be had. */
    public boolean has(String name) {
        return source.checkpoint == null || source.checkpoint.contains(source.inFile.apply(prefix + name));
    }

    /**
     * A parameter.
     *
     * @param name within this part, such as {@code weight}
     * @throws UncheckedIOException when the checkpoint cannot be read
     */
    public Variable parameter(String name, Shape shape, Initializer initializer) {
        String full = prefix + name;
        if (!source.asked.add(source.inFile.apply(full))) {
            throw new IllegalStateException("weights: '" + full + "' was asked for twice; share the variable instead");
        }
        return Variable.parameter(full, Scope.outside(() -> value(full, shape, initializer)));
    }

    private Tensor value(String full, Shape shape, Initializer initializer) {
        SafetensorsCheckpoint checkpoint = source.checkpoint;
        if (checkpoint != null) {
            return read(checkpoint, source.inFile.apply(full), shape);
        }
        Tensor tensor = Tensor.empty(source.device, DType.F32, shape, MemoryCategory.WEIGHTS);
        initializer.fill(tensor, new Philox.Key(source.seed, 0, source.asked.size()));
        if (dtype == DType.F32) {
            return tensor;
        }
        Tensor converted = tensor.to(dtype);
        tensor.release();
        return converted;
    }

    /**
     * What the checkpoint holds under a name. When it has none, or one of another shape, that is remembered, and a tensor
     * without elements stands in: a wrong size in the configuration costs no memory before {@link #requireAllLoaded} tells.
     */
    private Tensor read(SafetensorsCheckpoint checkpoint, String name, Shape shape) {
        try {
            if (!checkpoint.contains(name)) {
                source.missing.add(name);
            } else if (!checkpoint.entry(name).shape().equals(shape)) {
                source.misshapen.add(
                        name + " is " + checkpoint.entry(name).shape() + " in the file and " + shape + " in the model");
            } else {
                return checkpoint.read(name, source.device, dtype, MemoryCategory.WEIGHTS);
            }
            return Tensor.empty(source.device, dtype, Shape.of(0), MemoryCategory.WEIGHTS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Checks that the checkpoint and the model have the same names and shapes. Does nothing without a checkpoint.
     *
     * @param ignored names in the file that the model may leave alone
     * @throws IOException listing all that does not fit
     */
    public void requireAllLoaded(Predicate<String> ignored) throws IOException {
        SafetensorsCheckpoint checkpoint = source.checkpoint;
        if (checkpoint == null) {
            return;
        }
        Set<String> unexpected = new TreeSet<>(checkpoint.names());
        unexpected.removeAll(source.asked);
        unexpected.removeIf(ignored);
        if (source.missing.isEmpty() && source.misshapen.isEmpty() && unexpected.isEmpty()) {
            return;
        }
        StringBuilder message = new StringBuilder(checkpoint + " does not fit the model that config.json describes:");
        list(message, "missing in the file", source.missing);
        list(
                message,
                "of another shape (check hidden_size or n_embd, intermediate_size or n_inner, vocab_size and the"
                        + " numbers of heads)",
                source.misshapen);
        list(message, "in the file but not in the model", unexpected);
        throw new IOException(message.toString());
    }

    private static void list(StringBuilder message, String title, Set<String> names) {
        if (!names.isEmpty()) {
            message.append(System.lineSeparator()).append("  ").append(title).append(": ");
            message.append(Names.few(names));
        }
    }
}

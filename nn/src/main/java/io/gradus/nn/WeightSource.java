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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The source of a model's parameters. A layer requests each parameter by name and shape; the source initializes it at random
 * or reads it from a checkpoint. Building a model and loading one are therefore the same code.
 *
 * {@snippet :
 * WeightSource weights = WeightSource.random(Device.cpu(), 42);
 * Linear up = new Linear(weights.in("layers").in(3).in("up_proj"), 8, 16, false);
 * String name = up.weight().name(); // layers.3.up_proj.weight
 * }
 *
 * <p>When a checkpoint was read, {@link #requireAllLoaded} reports all names that are missing, unexpected or of another shape.
 */
public final class WeightSource {
    /** Missing tensors beyond the number of those in the file. */
    private static final int MOST_MISSING = 1000;

    private static volatile @Nullable WeightSource defaults;

    private final Source source;
    private final String prefix;
    private final DType dtype;
    private final boolean absent;
    private final boolean ofHead;

    private WeightSource(Source source, String prefix, DType dtype, boolean absent, boolean ofHead) {
        this.source = source;
        this.prefix = prefix;
        this.dtype = dtype;
        this.absent = absent;
        this.ofHead = ofHead;
    }

    /** The state that all views of one source share. */
    private static final class Source {
        private final Device device;
        private final long seed;
        private final @Nullable SafetensorsCheckpoint checkpoint;
        private final UnaryOperator<String> tensorName;
        private final boolean newHead;
        /** The number of random streams handed out: to parameters, and to dropout layers. */
        private int streams;
        /** Names of tensors in the checkpoint. */
        private final Set<String> requested = new LinkedHashSet<>();

        private final Set<String> missing = new LinkedHashSet<>();
        private final Set<String> misshapen = new LinkedHashSet<>();
        private final Map<String, NewWeight> created = new LinkedHashMap<>();

        Source(
                Device device,
                long seed,
                @Nullable SafetensorsCheckpoint checkpoint,
                UnaryOperator<String> tensorName,
                boolean newHead) {
            this.device = device;
            this.seed = seed;
            this.checkpoint = checkpoint;
            this.tensorName = tensorName;
            this.newHead = newHead;
        }

        synchronized int nextStream() {
            return ++streams;
        }
    }

    /** A parameter that the checkpoint lacks: the same elements whenever they are asked for. */
    public record NewWeight(Shape shape, Initializer initializer, Philox.Key key) {
        /** The elements, in F32. */
        public Tensor on(Device device) {
            Tensor tensor = Tensor.empty(device, DType.F32, shape, MemoryCategory.WEIGHTS);
            initializer.fill(tensor, key);
            return tensor;
        }
    }

    /** Random parameters. The n-th one depends only on the seed, on n and on its initializer. */
    public static WeightSource random(Device device, long seed) {
        return new WeightSource(
                new Source(device, seed, null, UnaryOperator.identity(), false), "", DType.F32, false, false);
    }

    /** Parameters from a checkpoint, converted to {@link DType#F32} (see {@link #to}). */
    public static WeightSource from(SafetensorsCheckpoint checkpoint, Device device) {
        return from(checkpoint, device, UnaryOperator.identity());
    }

    /**
     * Parameters from a checkpoint with other names.
     *
     * @param tensorName maps the name of a parameter to the name of its tensor in the checkpoint, one to one
     */
    public static WeightSource from(SafetensorsCheckpoint checkpoint, Device device, UnaryOperator<String> tensorName) {
        return new WeightSource(new Source(device, 0, checkpoint, tensorName, false), "", DType.F32, false, false);
    }

    // ---- the default generator ----

    /**
     * Restarts the default generator, like {@code torch.manual_seed}. Constructors without a {@code WeightSource}, such as
     * {@code new Linear(8, 4)}, take random numbers from it and put their parameters on the CPU. Its first seed is 0, so that
     * a program that constructs the same layers in the same order gets the same parameters.
     */
    public static void manualSeed(long seed) {
        defaults = random(Device.cpu(), seed);
    }

    /** The default generator. Its parameters have only local names, such as {@code weight}. */
    static WeightSource defaults() {
        WeightSource current = defaults;
        if (current == null) {
            current = random(Device.cpu(), 0);
            defaults = current;
        }
        return current;
    }

    long seed() {
        return source.seed;
    }

    /** A number that no other parameter and no other layer of this source has. */
    int nextNumber() {
        return source.nextStream();
    }

    // ---- parts ----

    /** The source for a part of the model: prefixes names with {@code name.}. */
    public WeightSource in(String name) {
        return new WeightSource(source, prefix + name + ".", dtype, absent, ofHead);
    }

    /** The source for the part with an index, from 0. */
    public WeightSource in(int index) {
        return in(Integer.toString(index));
    }

    /**
     * The same source with parameters of another dtype: BF16 or F16 for training in mixed precision.
     *
     * @throws IllegalArgumentException if parameters cannot have this dtype
     */
    public WeightSource to(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException("weights: parameters cannot be " + dtype + "; use F32, BF16 or F16");
        }
        return new WeightSource(source, prefix, dtype, absent, ofHead);
    }

    /**
     * The same source with parameters that have no elements: names and shapes are checked, and the elements must be
     * {@linkplain io.gradus.core.AbsentStorage provided} when they are used.
     */
    public WeightSource absent() {
        return new WeightSource(source, prefix, dtype, true, ofHead);
    }

    /**
     * The source for the head of a network, whose parameters a checkpoint need not have if the head is {@linkplain #withNewHead
     * new}.
     */
    public WeightSource ofHead() {
        return new WeightSource(source, prefix, dtype, absent, true);
    }

    /**
     * A source from the same checkpoint, which initializes the parameters of the {@linkplain #ofHead head} that the checkpoint
     * lacks or has in another shape.
     */
    public WeightSource withNewHead(long seed) {
        return new WeightSource(
                new Source(source.device, seed, source.checkpoint, source.tensorName, true),
                prefix,
                dtype,
                absent,
                ofHead);
    }

    /** The parameters of a new head that were not read, by name. */
    public Map<String, NewWeight> created() {
        return Collections.unmodifiableMap(source.created);
    }

    /** The device of the parameters. */
    public Device device() {
        return source.device;
    }

    /** Whether the checkpoint has a tensor of this name. Always true without a checkpoint. */
    public boolean has(String name) {
        return source.checkpoint == null || source.checkpoint.contains(source.tensorName.apply(prefix + name));
    }

    // ---- parameters ----

    /**
     * Creates a parameter.
     *
     * @param name the name within this part, such as {@code weight}
     * @throws IllegalStateException if the parameter was requested before
     * @throws UncheckedIOException if the checkpoint cannot be read
     */
    public Variable parameter(String name, Shape shape, Initializer initializer) {
        String full = prefix + name;
        if (this != defaults && !source.requested.add(source.tensorName.apply(full))) {
            throw new IllegalStateException("weights: '" + full
                    + "' was requested twice; share the variable, or give each layer its own part, as in"
                    + " weights.in(\"fc1\")");
        }
        return Variable.parameter(full, Scope.outside(() -> value(full, shape, initializer)));
    }

    private Tensor value(String full, Shape shape, Initializer initializer) {
        int stream = source.nextStream();
        SafetensorsCheckpoint checkpoint = source.checkpoint;
        NewWeight weight = new NewWeight(shape, initializer, new Philox.Key(source.seed, 0, stream));
        if (checkpoint != null) {
            String name = source.tensorName.apply(full);
            if (!source.newHead || !ofHead || has(checkpoint, name, shape)) {
                return read(checkpoint, name, shape);
            }
            source.created.put(full, weight);
        }
        if (absent) {
            return Tensor.absent(source.device, dtype, shape, MemoryCategory.WEIGHTS);
        }
        Tensor tensor = weight.on(source.device);
        if (dtype == DType.F32) {
            return tensor;
        }
        Tensor converted = tensor.to(dtype);
        tensor.release();
        return converted;
    }

    private static boolean has(SafetensorsCheckpoint checkpoint, String name, Shape shape) {
        try {
            return checkpoint.contains(name) && checkpoint.entry(name).shape().equals(shape);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads a tensor. If it is missing or has another shape, this is recorded for {@link #requireAllLoaded}, and an empty
     * tensor is returned, so that a wrong size in the configuration costs no memory. A model of which hardly anything is in the
     * file is not built to its end, because it may have billions of parameters.
     */
    private Tensor read(SafetensorsCheckpoint checkpoint, String name, Shape shape) {
        try {
            if (!checkpoint.contains(name)) {
                source.missing.add(name);
            } else if (!checkpoint.entry(name).shape().equals(shape)) {
                source.misshapen.add(
                        name + " is " + checkpoint.entry(name).shape() + " in the file and " + shape + " in the model");
            } else {
                return absent
                        ? Tensor.absent(source.device, dtype, shape, MemoryCategory.WEIGHTS)
                        : checkpoint.read(name, source.device, dtype, MemoryCategory.WEIGHTS);
            }
            if (source.missing.size() > MOST_MISSING + checkpoint.names().size()) {
                throw new UncheckedIOException(misfit(checkpoint, Set.of()));
            }
            return Tensor.empty(source.device, dtype, Shape.of(0), MemoryCategory.WEIGHTS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Checks that the checkpoint and the model have the same names and shapes. Does nothing without a checkpoint.
     *
     * @param ignored selects tensors in the checkpoint that the model need not use
     * @return the tensors that were ignored
     * @throws IOException listing all names that do not fit
     */
    public Set<String> requireAllLoaded(Predicate<String> ignored) throws IOException {
        SafetensorsCheckpoint checkpoint = source.checkpoint;
        if (checkpoint == null) {
            return Set.of();
        }
        Set<String> unexpected = new TreeSet<>(checkpoint.names());
        unexpected.removeAll(source.requested);
        Set<String> unused = new TreeSet<>(unexpected);
        unexpected.removeIf(ignored);
        if (source.missing.isEmpty() && source.misshapen.isEmpty() && unexpected.isEmpty()) {
            return unused;
        }
        throw misfit(checkpoint, unexpected);
    }

    private IOException misfit(SafetensorsCheckpoint checkpoint, Set<String> unexpected) {
        StringBuilder message = new StringBuilder(checkpoint + " does not fit the model that config.json describes:");
        list(message, "missing in the file", source.missing);
        list(
                message,
                "of another shape (check hidden_size or n_embd, intermediate_size or n_inner, vocab_size and the"
                        + " numbers of heads)",
                source.misshapen);
        list(message, "in the file but not in the model", unexpected);
        return new IOException(message.toString());
    }

    private static void list(StringBuilder message, String title, Set<String> names) {
        if (!names.isEmpty()) {
            message.append(System.lineSeparator()).append("  ").append(title).append(": ");
            message.append(Names.few(names));
        }
    }
}

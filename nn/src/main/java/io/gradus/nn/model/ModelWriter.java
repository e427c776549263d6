package io.gradus.nn.model;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsException;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.core.safetensors.StreamedTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Saves a model that was loaded from a folder, with new weights, to other folders. The settings are those that the folder had
 * when this object was created, even if the folder changes or is deleted.
 */
public final class ModelWriter {
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    private static final int RUN = 1 << 20;

    /** The least value that is rounded to infinity: the mean of the largest value and the next power of two. */
    private static final double F16_LIMIT = 65520;

    private static final double BF16_LIMIT = 0x1.ffp127;

    private final ModelFolder base;
    private final PretrainedModel model;
    private final ConfigJson config;
    private final GenerationConfig generation;
    private Set<Integer> stops = Set.of();
    private final Map<String, DType> dtypes = new HashMap<>();

    /**
     * @param base the folder
     * @param model a network of its configuration
     * @param config its {@code config.json}
     * @param names the tensors of parameters in a checkpoint
     */
    ModelWriter(
            ModelFolder base,
            PretrainedModel model,
            ConfigJson config,
            Function<SafetensorsCheckpoint, UnaryOperator<String>> names)
            throws IOException {
        this.base = base;
        this.model = model;
        this.config = config;
        this.generation = GenerationConfig.read(base.path());
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(base.path())) {
            UnaryOperator<String> tensor = names.apply(checkpoint);
            for (String name : model.namedParameters().keySet()) {
                if (checkpoint.contains(tensor.apply(name))) {
                    dtypes.put(name, stored(checkpoint.entry(tensor.apply(name)).dtype()));
                }
            }
        }
        DType usual = most(dtypes.values());
        model.namedParameters().keySet().forEach(name -> dtypes.putIfAbsent(name, usual)); // of a new head
    }

    private static DType most(Collection<DType> dtypes) {
        return dtypes.stream()
                .max(Comparator.comparingInt((DType each) -> Collections.frequency(dtypes, each))
                        .thenComparing(Comparator.naturalOrder()))
                .orElse(DType.F32);
    }

    /** The dtype of a stored tensor, or F32 for one that cannot hold a weight. */
    private static DType stored(String dtype) {
        return switch (dtype) {
            case "BF16" -> DType.BF16;
            case "F16" -> DType.F16;
            case "F64" -> DType.F64;
            default -> DType.F32;
        };
    }

    /**
     * Adds tokens at which programs stop generating. They are written to {@code generation_config.json}, where those of the folder
     * remain.
     */
    public ModelWriter stoppingAt(Set<Integer> ids) {
        stops = new TreeSet<>(ids); // in the same order in every file
        return this;
    }

    /**
     * Names the token that fills rows in {@code config.json}, unless that has one. A classifier of transformers needs it to find the
     * last token of a text.
     */
    public ModelWriter padding(int id) {
        if (!config.has("pad_token_id")) {
            config.set("pad_token_id", id);
        }
        return this;
    }

    /** The dtype that the folder has for a parameter. */
    public DType dtype(String parameter) {
        return dtypes.getOrDefault(parameter, DType.F32);
    }

    /**
     * Saves the model. The weights are written last and appear at once, so that the target never holds half a model.
     *
     * @param weights the tensor to write for a parameter, requested when it is written: its value, or the F32 master copy of a
     *     16-bit one
     * @param unchanged selects the parameters for which the folder's own tensor is written
     * @param dtypes the dtype to write, for the dtype that the folder has
     * @throws SafetensorsException if a weight is out of the range of its dtype; names the tensor
     */
    public void write(
            Function<Variable, Tensor> weights, Predicate<Variable> unchanged, UnaryOperator<DType> dtypes, Path target)
            throws IOException {
        generation.write(stops, target);
        StreamedTensors own = new StreamedTensors();
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters().forEach((name, parameter) -> {
            DType dtype = dtypes.apply(dtype(name));
            tensors.add(
                    unchanged.test(parameter)
                            ? own.tensor(name, dtype, parameter.shape(), () -> base.read(name, model))
                            : new NamedTensor(name, dtype, parameter.shape(), () -> weights.apply(parameter)));
        });
        write(config, tensors, target);
    }

    /**
     * Checks that every weight is in the range of the dtype in which it is saved.
     *
     * @throws SafetensorsException naming the first tensor that is not
     */
    public void requireInRange(Function<Variable, Tensor> weights, UnaryOperator<DType> dtypes) throws IOException {
        for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
            DType dtype = dtypes.apply(dtype(parameter.getKey()));
            Tensor weight = weights.apply(parameter.getValue());
            double limit = dtype == DType.F16 ? F16_LIMIT : BF16_LIMIT;
            if (dtype.isHalf() && weight.dtype() != dtype && largest(weight) >= limit) {
                throw new SafetensorsException(
                        base.path(),
                        "tensor '" + parameter.getKey() + "' now holds " + largest(weight) + ", which " + dtype
                                + " cannot; save the model in another dtype, such as save_dtype=f32");
            }
        }
    }

    /** The largest absolute value, with only a few elements more in memory. */
    private static double largest(Tensor weight) {
        Tensor flat = weight.reshape(weight.size());
        double largest = 0;
        for (long from = 0; from < weight.size(); from += RUN) {
            long to = Math.min(weight.size(), from + RUN);
            try (Scope _ = Scope.open("range")) {
                Variable part = Variable.constant(flat.slice(from, to).to(DType.F32));
                largest = Math.max(
                        largest, Autograd.noGrad(() -> part.abs().max()).item());
            }
        }
        return largest;
    }

    /** Writes the configuration, then the weights. */
    static void write(ConfigJson config, List<NamedTensor> tensors, Path target) throws IOException {
        if (!config.has("torch_dtype")) {
            config.set("torch_dtype", ""); // which transformers 4 reads
        }
        config.setDtype(dtypeOf(tensors));
        AtomicFile.write(target.resolve(ConfigJson.FILE), config + "\n");
        SafetensorsWriter.writeCheckpoint(target, tensors, Map.of("format", "pt"), MAX_SHARD_BYTES);
    }

    /** The dtype that {@code config.json} names: that of most elements. */
    public static DType dtypeOf(List<NamedTensor> tensors) {
        Map<DType, Long> elements = new HashMap<>();
        tensors.forEach(tensor -> elements.merge(tensor.dtype(), tensor.shape().size(), Long::sum));
        return elements.entrySet().stream()
                .max(Map.Entry.<DType, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey)
                .orElse(DType.F32);
    }
}

package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.optim.Optimizer.StateTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an optimizer keeps for each parameter: the tensors that its method declares, the number of steps, and the F32
 * master of a 16-bit parameter.
 *
 * <p>Masters hold the weights that steps change (Micikevicius et al. 2018, section 3.1); the parameter is rounded from its
 * master after each step. An update is often smaller than half the distance between neighboring 16-bit numbers (1/256 of
 * the value in BF16) and would be lost if each result were rounded; in the master it accumulates. With two moments, a
 * 16-bit parameter takes 12 bytes of state per weight, in addition to 2 bytes for the weight and 2 for its gradient.
 */
final class OptimizerState {
    private static final String STEP = "step";
    private static final String MASTER = "master";

    private final String optimizer;
    private final Function<Tensor, List<StateTensor>> declared;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /** The state of one parameter. */
    static final class Entry {
        /** In the order of the declaration. */
        final Map<String, Tensor> tensors;

        /** The weights in F32, or null if the parameter is its own master. */
        final @Nullable Tensor master;

        long steps;

        Entry(Map<String, Tensor> tensors, @Nullable Tensor master) {
            this.tensors = Collections.unmodifiableMap(tensors);
            this.master = master;
        }
    }

    OptimizerState(String optimizer, Function<Tensor, List<StateTensor>> declared) {
        this.optimizer = optimizer;
        this.declared = declared;
    }

    // ---- one parameter ----

    /** The state of a parameter, allocated on the first call. It outlives every scope. */
    Entry of(Variable parameter) {
        String name = ParameterGroup.nameOf(parameter);
        Entry entry = entries.get(name);
        if (entry == null) {
            entry = Scope.outside(() -> allocate(name, parameter));
            entries.put(name, entry);
        }
        return entry;
    }

    private Entry allocate(String name, Variable parameter) {
        Tensor value = parameter.value();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (StateTensor tensor : declared(parameter)) {
            Tensor zeros = Tensor.zeros(value.device(), tensor.dtype(), tensor.shape(), MemoryCategory.OPTIMIZER_STATE);
            tensors.put(tensor.name(), zeros.named(name + "." + tensor.name()));
        }
        Tensor master = needsMaster(parameter)
                ? value.to(value.device(), value.dtype().computed(), MemoryCategory.OPTIMIZER_STATE)
                        .named(name + "." + MASTER)
                : null;
        return new Entry(tensors, master);
    }

    static boolean needsMaster(Variable parameter) {
        return parameter.value().dtype().isHalf();
    }

    /** The master of a 16-bit parameter; otherwise, or if a frozen parameter has no state, the parameter's value. */
    Tensor weight(Variable parameter) {
        if (!needsMaster(parameter)) {
            return parameter.value();
        }
        Entry entry = parameter.requiresGrad() ? of(parameter) : entries.get(ParameterGroup.nameOf(parameter));
        return entry == null ? parameter.value() : Objects.requireNonNull(entry.master);
    }

    /** The tensors that the method declares, in the dtype that a 16-bit parameter is computed in. */
    private List<StateTensor> declared(Variable parameter) {
        List<StateTensor> tensors = declared.apply(parameter.value());
        for (StateTensor tensor : tensors) {
            if (tensor.name().equals(STEP) || tensor.name().equals(MASTER)) {
                throw new IllegalArgumentException(optimizer + ": the name '" + tensor.name()
                        + "' is reserved; choose another name for the state tensor");
            }
        }
        return tensors.stream()
                .map(tensor -> new StateTensor(tensor.name(), tensor.dtype().computed(), tensor.shape()))
                .toList();
    }

    // ---- all parameters, by name ----

    /** Everything, by {@code <parameter>.<name>}; see {@link Optimizer#state()}. */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        entries.forEach((parameter, entry) -> {
            entry.tensors.forEach((name, tensor) -> named.put(parameter + "." + name, tensor));
            if (entry.master != null) {
                named.put(parameter + "." + MASTER, entry.master);
            }
            named.put(parameter + "." + STEP, Tensor.of(Device.cpu(), new int[] {Math.toIntExact(entry.steps)}));
        });
        return named;
    }

    /** Restores what {@link #tensors()} returned; see {@link Optimizer#load}. */
    void load(List<Variable> parameters, Map<String, Tensor> saved) {
        List<Variable> restored = parameters.stream()
                .filter(parameter ->
                        parameter.requiresGrad() || names(parameter).stream().anyMatch(saved::containsKey))
                .toList();
        requireFits(restored, saved);
        entries.keySet().retainAll(restored.stream().map(ParameterGroup::nameOf).toList());
        for (Variable parameter : restored) {
            String prefix = ParameterGroup.nameOf(parameter) + ".";
            Entry entry = of(parameter);
            entry.tensors.forEach((name, tensor) -> tensor.copyFrom(required(saved, prefix + name)));
            entry.steps = (long) required(saved, prefix + STEP).item();
            if (entry.master != null) {
                entry.master.copyFrom(required(saved, prefix + MASTER));
                parameter.value().copyFrom(entry.master);
            }
        }
    }

    private void requireFits(List<Variable> restored, Map<String, Tensor> saved) {
        TreeSet<String> unexpected = new TreeSet<>(saved.keySet());
        List<String> missing = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        for (Variable parameter : restored) {
            for (StateTensor expected : layout(parameter)) {
                String name = ParameterGroup.nameOf(parameter) + "." + expected.name();
                Tensor tensor = saved.get(name);
                unexpected.remove(name);
                if (tensor == null) {
                    missing.add(name);
                } else if (!tensor.shape().equals(expected.shape())) {
                    wrong.add(name + " has shape " + tensor.shape() + ", not " + expected.shape());
                }
            }
            String name = ParameterGroup.nameOf(parameter) + "." + STEP;
            Tensor steps = saved.get(name);
            unexpected.remove(name);
            if (steps == null) {
                missing.add(name);
            } else if (!isCount(steps)) {
                wrong.add(name + " is not a number of steps: " + steps);
            }
        }
        List<String> problems = new ArrayList<>();
        if (!wrong.isEmpty()) {
            problems.add(Names.few(wrong));
        }
        if (!missing.isEmpty()) {
            problems.add("missing: " + Names.few(missing));
        }
        if (!unexpected.isEmpty()) {
            problems.add("unexpected: " + Names.few(unexpected));
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(optimizer + ": the saved state does not fit; "
                    + String.join("; ", problems)
                    + ". It must come from the same optimizer with the same trainable parameters");
        }
    }

    /** All tensors of a parameter except the number of steps. */
    List<StateTensor> layout(Variable parameter) {
        List<StateTensor> tensors = new ArrayList<>(declared(parameter));
        if (needsMaster(parameter)) {
            Tensor value = parameter.value();
            tensors.add(new StateTensor(MASTER, value.dtype().computed(), value.shape()));
        }
        return tensors;
    }

    private List<String> names(Variable parameter) {
        String prefix = ParameterGroup.nameOf(parameter) + ".";
        List<String> names = new ArrayList<>(List.of(prefix + STEP));
        layout(parameter).forEach(tensor -> names.add(prefix + tensor.name()));
        return names;
    }

    private static Tensor required(Map<String, Tensor> saved, String name) {
        return Objects.requireNonNull(saved.get(name));
    }

    private static boolean isCount(Tensor tensor) {
        if (tensor.size() != 1) {
            return false;
        }
        double value = tensor.item();
        return value >= 0 && value <= Integer.MAX_VALUE && value == Math.rint(value);
    }
}

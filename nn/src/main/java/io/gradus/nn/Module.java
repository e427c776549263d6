package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Something with parameters: a layer, or a network of layers. A subclass registers what it owns in its constructor, with
 * {@link #own} and {@link #child}, and has a {@code forward} method of its own shape.
 */
public abstract class Module {
    private final List<Variable> owned = new ArrayList<>();
    private final List<Module> children = new ArrayList<>();
    private boolean training;

    /** Registers a parameter of this module and returns it. */
    protected final Variable own(Variable parameter) {
        owned.add(parameter);
        return parameter;
    }

    /** Registers a module inside this one and returns it. */
    protected final <M extends Module> M child(M module) {
        children.add(module);
        return module;
    }

    /** Every parameter of this module and of those inside it, in the order of registration; a shared one once. */
    public final List<Variable> parameters() {
        List<Variable> all = new ArrayList<>();
        collect(all, Collections.newSetFromMap(new IdentityHashMap<>()));
        return List.copyOf(all);
    }

    private void collect(List<Variable> all, Set<Variable> seen) {
        owned.stream().filter(seen::add).forEach(all::add);
        children.forEach(module -> module.collect(all, seen));
    }

    /**
     * The parameters by name, in order.
     *
     * @throws IllegalStateException when two have the same name
     */
    public final Map<String, Variable> namedParameters() {
        Map<String, Variable> named = new LinkedHashMap<>();
        for (Variable parameter : parameters()) {
            if (named.put(String.valueOf(parameter.name()), parameter) != null) {
                throw new IllegalStateException("two parameters are named '" + parameter.name() + "'");
            }
        }
        return named;
    }

    /** How many numbers are trained: the elements of all parameters. */
    public final long parameterCount() {
        return parameters().stream()
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    /** Whether layers that differ between training and use, such as {@link Dropout}, are in training. Not at first. */
    public final boolean isTraining() {
        return training;
    }

    /** Puts this module and every module inside it into training mode, in which {@link Dropout} drops elements. */
    public final void train() {
        train(true);
    }

    /** Puts this module and every module inside it into evaluation mode, the mode of a new module. */
    public final void eval() {
        train(false);
    }

    /** {@link #train()} if {@code mode} is true, {@link #eval()} otherwise. */
    public final void train(boolean mode) {
        training = mode;
        children.forEach(module -> module.train(mode));
    }
}

package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A layer, or a network of layers. A subclass {@linkplain #register(Module) registers} its parameters and the modules inside
 * it, usually in its constructor, and has a {@code forward} method with a signature of its own.
 *
 * {@snippet :
 * class Classifier extends Module {
 *     private final Linear hidden = register("hidden", new Linear(784, 128));
 *     private final Linear output = register("output", new Linear(128, 10));
 *
 *     Variable forward(Variable images) {
 *         return output.forward(hidden.forward(images).relu());
 *     }
 * }
 * Classifier classifier = new Classifier();
 * Set<String> names = classifier.namedParameters().keySet(); // hidden.weight, hidden.bias, output.weight, output.bias
 * }
 *
 * <p>A field that holds a parameter or a module that was not registered is an error: its weights would not be trained. A field
 * that only refers to a module owned elsewhere may be declared {@code transient}.
 */
public abstract class Module {
    private final List<Variable> parameters = new ArrayList<>();
    private final List<Module> children = new ArrayList<>();
    private boolean training;
    private boolean fieldsChecked;

    /** The name in its parent, if one was given. */
    private String name = "";

    /** Whether parameters have full names from a {@link WeightSource}, which registration does not change. */
    private boolean fullNames;

    /**
     * Registers a parameter of this module.
     *
     * @return the parameter
     * @throws IllegalArgumentException if it has no name
     */
    protected final Variable register(Variable parameter) {
        String parameterName = parameter.name();
        if (parameterName == null) {
            throw new IllegalArgumentException(
                    "register: " + parameter + " has no name; create it with Variable.parameter");
        }
        fullNames |= parameterName.indexOf('.') >= 0;
        parameters.add(parameter);
        return parameter;
    }

    /**
     * Registers a module inside this one. Its parameters keep their names: use this if they come from a {@link WeightSource}.
     *
     * @return the module
     */
    protected final <M extends Module> M register(M module) {
        Module child = module;
        fullNames |= child.fullNames;
        children.add(module);
        return module;
    }

    /**
     * Registers a module inside this one under a name. The names of its parameters get {@code name.} as a prefix, unless they
     * come from a {@link WeightSource} and thus have their full names already.
     *
     * @return the module
     */
    protected final <M extends Module> M register(String name, M module) {
        Module child = module;
        if (child.name.isEmpty() && !child.fullNames) {
            Set<Variable> named = registeredParameters();
            for (Variable parameter : child.parameters()) {
                if (!named.contains(parameter)) {
                    parameter.rename(name + "." + parameter.name());
                }
            }
        }
        child.name = name;
        children.add(module);
        return module;
    }

    // ---- parameters ----

    /**
     * The parameters of this module and of all modules inside it, in the order of registration. A shared parameter appears
     * once.
     *
     * @throws IllegalStateException if a field holds a parameter or a module that was not registered
     */
    public final List<Variable> parameters() {
        modules().forEach(Module::checkFields);
        return List.copyOf(registeredParameters());
    }

    private Set<Variable> registeredParameters() {
        Set<Variable> all = new LinkedHashSet<>();
        modules().forEach(module -> all.addAll(module.parameters));
        return all;
    }

    /** This module and all modules inside it, each once, in the order of registration. */
    private Collection<Module> modules() {
        List<Module> all = new ArrayList<>();
        collect(all, Collections.newSetFromMap(new IdentityHashMap<>()));
        return all;
    }

    private void collect(List<Module> all, Set<Module> seen) {
        if (seen.add(this)) {
            all.add(this);
            children.forEach(module -> module.collect(all, seen));
        }
    }

    private void checkFields() {
        Set<Object> registered = Collections.newSetFromMap(new IdentityHashMap<>());
        registered.addAll(modules());
        registered.addAll(registeredParameters());
        UnregisteredFields.reject(this, registered);
        fieldsChecked = true;
    }

    /**
     * The parameters by name, in the order of registration.
     *
     * @throws IllegalStateException if two have the same name
     */
    public final Map<String, Variable> namedParameters() {
        Map<String, Variable> named = new LinkedHashMap<>();
        for (Variable parameter : parameters()) {
            if (named.put(Objects.requireNonNull(parameter.name()), parameter) != null) {
                throw new IllegalStateException("two parameters are named '" + parameter.name()
                        + "'; give the modules names, as in register(\"fc1\", new Linear(8, 4))");
            }
        }
        return named;
    }

    /** The number of elements of all parameters. */
    public final long parameterCount() {
        return parameters().stream()
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    // ---- training and evaluation ----

    /** Whether this module is in training mode, in which {@link Dropout} drops elements. A new module is not. */
    public final boolean isTraining() {
        return training;
    }

    /** Puts this module and every module inside it into training mode. */
    public final void train() {
        train(true);
    }

    /** Puts this module and every module inside it into evaluation mode. */
    public final void eval() {
        train(false);
    }

    /** {@link #train()} if {@code mode} is true, {@link #eval()} otherwise. */
    public final void train(boolean mode) {
        if (!fieldsChecked) {
            checkFields();
        }
        training = mode;
        children.forEach(module -> module.train(mode));
    }

    /**
     * Chooses the random numbers of every {@link Dropout} inside this module. A program that does so before each batch can
     * continue at any batch with the same masks.
     *
     * @param calls the number of calls after which each layer continues, such as the number of the batch
     */
    public final void seedDropout(long seed, int calls) {
        for (Module module : modules()) {
            if (module instanceof Dropout dropout) {
                dropout.seed(seed, calls);
            }
        }
    }

    // ---- printing ----

    /** Settings that {@link #toString} prints, such as {@code in_features=8, out_features=4}. */
    protected String extraRepr() {
        return "";
    }

    /**
     * The module and the modules inside it, in PyTorch's style:
     *
     * <pre>
     * Sequential(
     *   (0): Linear(in_features=8, out_features=16, bias=true)
     *   (1): ReLU()
     * )
     * </pre>
     *
     * Equal modules in a row are printed once: {@code (layers.0-11): 12 x DecoderLayer(…)}.
     */
    @Override
    public String toString() {
        List<Entry> entries = new ArrayList<>();
        for (Map.Entry<String, Object> part : parts().entrySet()) {
            String text = part.getValue().toString();
            if (!entries.isEmpty() && entries.getLast().continues(part.getKey(), text)) {
                entries.set(entries.size() - 1, entries.getLast().extended());
            } else {
                entries.add(new Entry(part.getKey(), 1, text));
            }
        }
        StringBuilder lines =
                new StringBuilder(getClass().getSimpleName()).append('(').append(extraRepr());
        for (Entry entry : entries) {
            lines.append("\n  ").append(entry.toString().replace("\n", "\n  "));
        }
        return lines.append(entries.isEmpty() ? ")" : "\n)").toString();
    }

    /** The lines that {@link #toString} prints inside this module, by name: the registered modules. */
    Map<String, Object> parts() {
        Map<String, Object> parts = new LinkedHashMap<>();
        String own = prefix();
        for (Module child : children) {
            String local = child.name;
            if (local.isEmpty() && child.prefix().length() > own.length()) {
                local = child.prefix().substring(own.length());
                local = local.substring(0, local.length() - 1);
            }
            parts.put(local.isEmpty() || parts.containsKey(local) ? Integer.toString(parts.size()) : local, child);
        }
        return parts;
    }

    /** The common prefix of the full names of all parameters, up to a dot: {@code model.layers.3.mlp.}. */
    private String prefix() {
        String common = null;
        for (Variable parameter : parameters) {
            common = common(common, Objects.requireNonNull(parameter.name()));
        }
        for (Module child : children) {
            if (!child.parameters.isEmpty() || !child.children.isEmpty()) {
                common = common(common, child.prefix());
            }
        }
        return common == null ? "" : common;
    }

    private static String common(@Nullable String a, String b) {
        int length = 0;
        int limit = a == null ? b.length() : Math.min(a.length(), b.length());
        for (int i = 0; i < limit && (a == null || a.charAt(i) == b.charAt(i)); i++) {
            length = b.charAt(i) == '.' ? i + 1 : length;
        }
        return b.substring(0, length);
    }

    /** A module or a row of equal modules inside another one. */
    private record Entry(String name, int count, String text) {
        /** Whether a module is equal to these and has the next number. */
        boolean continues(String next, String nextText) {
            return nextText.equals(text) && next.equals(numbered(count));
        }

        Entry extended() {
            return new Entry(name, count + 1, text);
        }

        /** The name with its last number increased; the name itself if it does not end in a number. */
        private String numbered(int offset) {
            int digits = name.length();
            while (digits > 0 && name.charAt(digits - 1) >= '0' && name.charAt(digits - 1) <= '9') {
                digits--;
            }
            return digits == name.length()
                    ? name
                    : name.substring(0, digits) + (Integer.parseInt(name.substring(digits)) + offset);
        }

        @Override
        public String toString() {
            if (count == 1) {
                return "(" + name + "): " + text;
            }
            String last = numbered(count - 1);
            return "(" + name + "-" + last.substring(last.lastIndexOf('.') + 1) + "): " + count + " x " + text;
        }
    }
}

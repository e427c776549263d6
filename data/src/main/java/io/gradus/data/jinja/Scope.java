package io.gradus.data.jinja;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The variables of a part of a template, and what each is when the part begins.
 *
 * <p>Jinja decides before rendering to which part a variable belongs: to the one that assigns it, even if the assignment comes
 * later. So a loop that reads a variable which the template sets after the loop does not see a value passed in under that name.
 */
final class Scope {
    /** The scope of a part that was not analyzed yet. */
    static final Scope UNKNOWN = new Scope(null);

    /** The value of a variable when its scope begins. */
    enum Start {
        /** Set by whoever enters the scope, such as the parameter of a macro. */
        PARAMETER,
        /** The value passed to the template. */
        PASSED,
        /** The value in the enclosing scope. */
        OUTER,
        /** None yet. */
        UNDEFINED
    }

    private final @Nullable Scope parent;
    private final Map<String, Start> variables;
    private final Set<String> stored;

    Scope(@Nullable Scope parent) {
        this(parent, new LinkedHashMap<>(), new LinkedHashSet<>());
    }

    private Scope(@Nullable Scope parent, Map<String, Start> variables, Set<String> stored) {
        this.parent = parent;
        this.variables = variables;
        this.stored = stored;
    }

    Map<String, Start> variables() {
        return variables;
    }

    private boolean knows(String name) {
        return variables.containsKey(name) || (parent != null && parent.knows(name));
    }

    void read(String name) {
        if (!knows(name)) {
            variables.put(name, Start.PASSED);
        }
    }

    void parameter(String name) {
        stored.add(name);
        variables.put(name, Start.PARAMETER);
    }

    void store(String name) {
        stored.add(name);
        if (!variables.containsKey(name)) {
            variables.put(name, outer(name) ? Start.OUTER : Start.UNDEFINED);
        }
    }

    private boolean outer(String name) {
        return parent != null && parent.knows(name);
    }

    /** A copy, for a branch that may not be taken. */
    Scope branch() {
        return new Scope(parent, new LinkedHashMap<>(variables), new LinkedHashSet<>(stored));
    }

    /** Adds what branches do; what only they assign begins with the value from outside. */
    void merge(List<Scope> branches) {
        Set<String> added = new LinkedHashSet<>();
        branches.forEach(branch -> added.addAll(branch.stored));
        added.removeAll(stored);
        for (Scope branch : branches) {
            variables.putAll(branch.variables);
            stored.addAll(branch.stored);
        }
        for (String name : added) {
            variables.put(name, outer(name) ? Start.OUTER : Start.PASSED);
        }
    }
}

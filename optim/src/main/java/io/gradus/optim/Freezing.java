package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Freezes parameters by name patterns. In a pattern, {@code *} matches any characters, including dots, and {@code ?} matches
 * one character; the pattern must match the whole name. {@code model.layers.0.*} matches the first block, {@code *norm*} every
 * norm.
 *
 * <p>A frozen parameter gets no gradient. Freeze before creating the optimizer, so that it allocates no state for it.
 */
public final class Freezing {
    private Freezing() {}

    /**
     * Freezes the parameters that match at least one of the patterns.
     *
     * @return the matching parameters, in the order given; empty if there are no patterns
     * @throws IllegalArgumentException if a pattern matches no parameter, or no parameter would remain trainable; changes
     *     nothing
     */
    public static List<Variable> freeze(Collection<Variable> parameters, List<String> patterns) {
        Set<Variable> frozen = new HashSet<>();
        List<String> unmatched = new ArrayList<>();
        for (String pattern : patterns) {
            List<Variable> matching = matching(parameters, pattern);
            frozen.addAll(matching);
            if (matching.isEmpty()) {
                unmatched.add(pattern);
            }
        }
        if (!unmatched.isEmpty()) {
            throw new IllegalArgumentException("freeze: no parameter matches " + String.join(", ", unmatched)
                    + "; the parameters are "
                    + Names.few(parameters.stream().map(ParameterGroup::nameOf).toList()));
        }
        if (!patterns.isEmpty() && parameters.stream().noneMatch(p -> p.requiresGrad() && !frozen.contains(p))) {
            throw new IllegalArgumentException("freeze: " + String.join(", ", patterns)
                    + " would freeze every parameter; leave at least one to train");
        }
        frozen.forEach(parameter -> parameter.setRequiresGrad(false));
        return parameters.stream().filter(frozen::contains).toList();
    }

    /** The parameters whose name matches a pattern. */
    public static List<Variable> matching(Collection<Variable> parameters, String pattern) {
        Pattern names = compile(pattern);
        return parameters.stream()
                .filter(parameter ->
                        names.matcher(ParameterGroup.nameOf(parameter)).matches())
                .toList();
    }

    private static Pattern compile(String glob) {
        StringBuilder regex = new StringBuilder();
        glob.chars()
                .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf((char) c)))
                .forEach(regex::append);
        return Pattern.compile(regex.toString());
    }
}

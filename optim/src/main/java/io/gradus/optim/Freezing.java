package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Parameters left as they are, by patterns of their names. In a pattern {@code *} stands for any characters, dots
 * included, and {@code ?} for one; it must match the whole name. {@code model.layers.0.*} is the first block,
 * {@code *norm*} every norm.
 *
 * <p>A frozen parameter gets no gradient, and the optimiser keeps no state for it when it is frozen first.
 */
public final class Freezing {
    private Freezing() {}

    /**
     * Freezes what matches one of the patterns.
     *
     * @return what was frozen, in the order of the parameters; without patterns, nothing
     * @throws IllegalArgumentException naming the patterns that match no parameter, or when nothing would be left to
     *     train; nothing has changed then
     */
    public static List<Variable> freeze(Collection<Variable> parameters, List<String> patterns) {
        Set<Variable> frozen = new HashSet<>();
        List<String> idle = new ArrayList<>();
        for (String pattern : patterns) {
            List<Variable> matching = matching(parameters, pattern);
            frozen.addAll(matching);
            if (matching.isEmpty()) {
                idle.add(pattern);
            }
        }
        if (!idle.isEmpty()) {
            throw new IllegalArgumentException("freeze: no parameter matches " + String.join(", ", idle)
                    + "; the names are "
                    + Names.few(parameters.stream().map(ParameterGroup::nameOf).toList()));
        }
        if (!patterns.isEmpty() && parameters.stream().noneMatch(p -> p.requiresGrad() && !frozen.contains(p))) {
            throw new IllegalArgumentException(
                    "freeze: " + String.join(", ", patterns) + " leave no parameter to train");
        }
        frozen.forEach(parameter -> parameter.setRequiresGrad(false));
        return parameters.stream().filter(frozen::contains).toList();
    }

    /** The parameters whose name matches. */
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

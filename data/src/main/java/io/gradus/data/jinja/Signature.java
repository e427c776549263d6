package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a Python function, to bind arguments as Python does.
 *
 * @param function for error messages
 * @param names of the parameters
 * @param defaults of the parameters; null for those that are required
 * @param positionalOnly how many parameters cannot be named
 */
record Signature(String function, List<String> names, List<@Nullable Object> defaults, int positionalOnly) {

    /**
     * Reads parameters such as {@code width=4, first=false, /, blank=none}; those before the slash cannot be named.
     *
     * @param parameters may be empty
     */
    static Signature of(String function, String parameters) {
        List<String> names = new ArrayList<>();
        List<@Nullable Object> defaults = new ArrayList<>();
        int positionalOnly = 0;
        for (String parameter : parameters.isEmpty() ? new String[0] : parameters.split(", ")) {
            if (parameter.equals("/")) {
                positionalOnly = names.size();
                continue;
            }
            int equals = parameter.indexOf('=');
            names.add(equals < 0 ? parameter : parameter.substring(0, equals));
            defaults.add(equals < 0 ? null : literal(parameter.substring(equals + 1)));
        }
        return new Signature(function, List.copyOf(names), defaults, positionalOnly);
    }

    private static Object literal(String text) {
        return switch (text) {
            case "none" -> None.NONE;
            case "true" -> true;
            case "false" -> false;
            default -> text.startsWith("'") ? text.substring(1, text.length() - 1) : new BigInteger(text);
        };
    }

    /**
     * One value per parameter.
     *
     * @throws TemplateException if arguments are missing, too many, or unknown
     */
    Object[] bind(Arguments arguments) {
        List<Object> given = arguments.positional();
        if (given.size() > names.size()) {
            throw TemplateException.type(function + "() takes " + names.size() + " positional arguments but "
                    + given.size() + " were given");
        }
        Object[] values = new Object[names.size()];
        Set<String> unused = new HashSet<>(arguments.named().keySet());
        for (int i = 0; i < values.length; i++) {
            String name = names.get(i);
            Object named = i >= positionalOnly && unused.remove(name)
                    ? arguments.named().get(name)
                    : null;
            Object usual = defaults.get(i);
            if (i < given.size()) {
                if (named != null) {
                    throw TemplateException.type(function + "() got multiple values for argument '" + name + "'");
                }
                values[i] = given.get(i);
            } else if (named != null) {
                values[i] = named;
            } else if (usual != null) {
                values[i] = usual;
            } else {
                throw TemplateException.type(function + "() missing a required argument: '" + name + "'");
            }
        }
        for (String name : unused) {
            throw TemplateException.type(function + "() got an unexpected keyword argument '" + name + "'");
        }
        return values;
    }
}

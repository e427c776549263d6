package io.gradus.data.jinja;

import io.gradus.data.jinja.Statement.MacroBody;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A macro, or the body of a call block. */
final class Macro implements Callable {
    private final String name;
    private final MacroBody definition;
    private final Function<Map<String, Object>, String> body;

    /**
     * Creates a macro.
     *
     * @param body renders the macro with the values of its parameters; those that were not given are missing
     */
    Macro(String name, MacroBody definition, Function<Map<String, Object>, String> body) {
        this.name = name;
        this.definition = definition;
        this.body = body;
    }

    String name() {
        return name;
    }

    @Override
    public Object call(Arguments arguments) {
        List<Object> given = arguments.positional();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        Map<String, Object> values = new LinkedHashMap<>();
        List<String> parameters = definition.parameters();
        IntStream.range(0, Math.min(given.size(), parameters.size()))
                .forEach(i -> values.put(parameters.get(i), given.get(i)));
        boolean callerFound = given.size() >= parameters.size() && parameters.contains("caller");
        for (String parameter : parameters.subList(values.size(), parameters.size())) {
            Object value = named.remove(parameter);
            if (value != null) {
                values.put(parameter, value);
            }
            callerFound |= parameter.equals("caller");
        }
        if (definition.usesCaller() && !callerFound) {
            Object caller = named.remove("caller");
            values.put("caller", caller == null || caller == None.NONE ? new Undefined("No caller defined") : caller);
        }
        if (definition.usesNamed()) {
            Dict rest = new Dict();
            named.forEach(rest::put);
            values.put("kwargs", rest);
        } else if (!named.isEmpty()) {
            throw TemplateException.type(
                    named.containsKey("caller")
                            ? "macro " + Text.quoted(name)
                                    + " was invoked with two values for the special caller argument. This is most likely a"
                                    + " bug."
                            : "macro " + Text.quoted(name) + " takes no keyword argument "
                                    + Text.quoted(named.keySet().iterator().next()));
        }
        List<Object> more = given.subList(Math.min(given.size(), parameters.size()), given.size());
        if (definition.usesPositional()) {
            values.put("varargs", new Tuple(List.copyOf(more)));
        } else if (!more.isEmpty()) {
            throw TemplateException.type(
                    "macro " + Text.quoted(name) + " takes not more than " + parameters.size() + " argument(s)");
        }
        return body.apply(values);
    }

    /** An attribute; null if there is none of this name. */
    @Nullable Object attribute(String attribute) {
        return switch (attribute) {
            case "name" -> name;
            case "arguments" -> new Tuple(new ArrayList<>(definition.parameters()));
            case "catch_kwargs" -> definition.usesNamed();
            case "catch_varargs" -> definition.usesPositional();
            case "caller" -> definition.usesCaller();
            case "explicit_caller" -> definition.parameters().contains("caller");
            default -> null;
        };
    }

    @Override
    public String typeName() {
        return "Macro";
    }
}

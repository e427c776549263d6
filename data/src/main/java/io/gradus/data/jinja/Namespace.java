package io.gradus.data.jinja;

/** An object whose attributes a template can set, also from within a loop. */
final class Namespace {
    private final Dict attributes;

    Namespace(Dict attributes) {
        this.attributes = attributes;
        attributes.keys().forEach(Namespace::check);
    }

    Dict attributes() {
        return attributes;
    }

    void set(String name, Object value) {
        check(name);
        attributes.put(name, value);
    }

    private static void check(Object name) {
        if (name instanceof String text && text.startsWith("_")) {
            throw new TemplateException(
                    "SecurityError",
                    "Chat templates cannot store underscore-prefixed attributes on a namespace, but got "
                            + Text.quoted(text) + ". Please rename the attribute.");
        }
    }
}

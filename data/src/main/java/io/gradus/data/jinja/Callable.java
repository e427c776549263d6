package io.gradus.data.jinja;

/** Something that a template can call. */
interface Callable {

    Object call(Arguments arguments);

    /** The type in Python, for error messages. */
    default String typeName() {
        return "function";
    }
}

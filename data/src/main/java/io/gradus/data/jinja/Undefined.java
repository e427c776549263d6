package io.gradus.data.jinja;

/**
 * A variable, attribute or item that does not exist. It can be printed, tested and iterated; anything else is an error.
 *
 * @param error the name of that error
 * @param message of that error
 */
record Undefined(String error, String message) {

    /** A value that does not exist for some reason. */
    Undefined(String message) {
        this("UndefinedError", message);
    }

    static Undefined variable(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    /** An attribute or item of an object. */
    static Undefined of(Object object, Object name) {
        String type = Values.qualifiedTypeName(object);
        return new Undefined(
                Values.isString(name)
                        ? "'" + type + "' has no attribute " + Text.repr(name)
                        : type + " has no element " + Text.repr(name));
    }

    /** An attribute that would change the object, or that is internal. */
    static Undefined unsafe(Object object, String name) {
        return new Undefined(
                "SecurityError",
                "access to attribute " + Text.quoted(name) + " of '" + Values.typeName(object) + "' object is unsafe.");
    }

    TemplateException exception() {
        return new TemplateException(error, message);
    }

    /** All undefined values are equal. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 0;
    }
}

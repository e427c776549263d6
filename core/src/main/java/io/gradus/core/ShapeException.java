package io.gradus.core;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The operands of an operation have shapes that do not fit: names the operation, the shapes, and the way out. */
public final class ShapeException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final transient List<Shape> shapes;

    /**
     * @param operation the operation's name, as the user wrote it
     * @param problem what does not fit
     * @param remedy what the user can do about it
     */
    public ShapeException(String operation, String problem, String remedy, Shape... shapes) {
        super(operation + ": " + problem + ": "
                + Arrays.stream(shapes).map(Shape::toString).collect(Collectors.joining(" and ")) + "; " + remedy);
        this.operation = operation;
        this.shapes = List.of(shapes);
    }

    public String operation() {
        return operation;
    }

    /** The shapes that did not fit, in the order of the operands; empty after deserialisation. */
    public List<Shape> shapes() {
        return shapes == null ? List.of() : shapes;
    }
}

package io.gradus.core;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The operands of an operation have incompatible shapes. The message names the operation, the operands and the fix. */
public final class ShapeException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final transient List<Shape> shapes;

    /**
     * @param operation the operation's name, as the user called it
     * @param problem what is wrong with the shapes
     * @param remedy what the user can do about it
     * @param operands the tensors, which the message describes by name and shape
     */
    public ShapeException(String operation, String problem, String remedy, Tensor... operands) {
        this(
                operation,
                problem,
                remedy,
                Arrays.stream(operands).map(Tensor::describe),
                Arrays.stream(operands).map(Tensor::shape).toList());
    }

    /** The same for shapes that belong to no tensor. */
    public ShapeException(String operation, String problem, String remedy, Shape... shapes) {
        this(operation, problem, remedy, Arrays.stream(shapes).map(Shape::toString), List.of(shapes));
    }

    private ShapeException(
            String operation, String problem, String remedy, Stream<String> operands, List<Shape> shapes) {
        super(operation + ": " + problem + ": " + operands.collect(Collectors.joining(" and ")) + "; " + remedy);
        this.operation = operation;
        this.shapes = shapes;
    }

    public String operation() {
        return operation;
    }

    /** The shapes of the operands, in order; empty after deserialization. */
    public List<Shape> shapes() {
        return shapes == null ? List.of() : shapes;
    }
}

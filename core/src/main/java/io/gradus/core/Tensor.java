package io.gradus.core;

import io.gradus.core.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A dense, row-major array of one {@link DType} on one {@link Device}. It has no math and no gradient: the device's
 * {@link Device#kernels() kernels} compute, and {@code Variable} records gradients.
 *
 * {@snippet :
 * Tensor a = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
 * Tensor b = Tensor.of(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
 * Tensor product = a.emptyLike(Shape.of(2, 2));
 * a.kernels().gemm().matmul(a, false, b, false, product, false);
 * System.out.println(product.slice(0, 1)); // F32 [1, 2] on cpu [4.0, 5.0]
 * }
 *
 * <p>{@link #reshape} and {@link #slice} return views of the same memory. Tensors are not synchronized: threads that share
 * one must not write to it.
 */
public final class Tensor {
    private final Device device;
    private final DType dtype;
    private final Shape shape;
    private final Storage storage;
    private final long offset;
    private final @Nullable String name;

    private Tensor(Device device, DType dtype, Shape shape, Storage storage, long offset, @Nullable String name) {
        this.device = device;
        this.dtype = dtype;
        this.shape = shape;
        this.storage = storage;
        this.offset = offset;
        this.name = name;
    }

    // ---- creation ----

    /**
     * A tensor with undefined elements.
     *
     * @throws OutOfMemoryError if the device has too little memory; the message has the number of bytes
     */
    public static Tensor empty(Device device, DType dtype, Shape shape, MemoryCategory category) {
        Storage storage = device.backend().allocate(dtype, shape.size(), category);
        Scope.adopt(storage);
        return new Tensor(device, dtype, shape, storage, 0, null);
    }

    /**
     * A tensor whose elements are provided when they are used: see {@link AbsentStorage}.
     *
     * @param category of the memory that will be provided
     */
    public static Tensor absent(Device device, DType dtype, Shape shape, MemoryCategory category) {
        return new Tensor(
                device,
                dtype,
                shape,
                new AbsentStorage(category, device.backend().memory()),
                0,
                null);
    }

    /** A tensor of zeros. */
    public static Tensor zeros(Device device, DType dtype, Shape shape, MemoryCategory category) {
        return full(device, dtype, shape, 0, category);
    }

    /** A tensor whose elements all have one value. */
    public static Tensor full(Device device, DType dtype, Shape shape, double value, MemoryCategory category) {
        Tensor tensor = empty(device, dtype, shape, category);
        device.kernels().elementwise().fill(tensor, value);
        return tensor;
    }

    /** An {@link DType#F32} tensor on the CPU with the given elements, row by row. */
    public static Tensor of(float[] elements, long... shape) {
        return of(Device.cpu(), elements, shape);
    }

    /** An {@link DType#F32} tensor with the given elements, row by row. */
    public static Tensor of(Device device, float[] elements, long... shape) {
        return upload(device, DType.F32, Shape.of(shape), elements.length, MemorySegment.ofArray(elements));
    }

    /** An {@link DType#I32} tensor on the CPU with the given elements, row by row. */
    public static Tensor of(int[] elements, long... shape) {
        return of(Device.cpu(), elements, shape);
    }

    /** An {@link DType#I32} tensor with the given elements, row by row. */
    public static Tensor of(Device device, int[] elements, long... shape) {
        return upload(device, DType.I32, Shape.of(shape), elements.length, MemorySegment.ofArray(elements));
    }

    /** A {@link DType#U8} tensor with the given elements, row by row; −1 is 255. */
    public static Tensor of(Device device, byte[] elements, long... shape) {
        return upload(device, DType.U8, Shape.of(shape), elements.length, MemorySegment.ofArray(elements));
    }

    /** An {@link DType#F64} tensor with the given elements, row by row. */
    public static Tensor of(Device device, double[] elements, long... shape) {
        return upload(device, DType.F64, Shape.of(shape), elements.length, MemorySegment.ofArray(elements));
    }

    private static Tensor upload(Device device, DType dtype, Shape shape, int count, MemorySegment elements) {
        if (shape.size() != count) {
            throw new IllegalArgumentException(
                    "tensor: " + count + " elements were given for the shape " + shape + ", which has " + shape.size());
        }
        Tensor tensor = empty(device, dtype, shape, MemoryCategory.ACTIVATIONS);
        device.backend().upload(elements, tensor);
        return tensor;
    }

    /**
     * A tensor in existing memory; for backends.
     *
     * @param offset where it begins, in elements
     */
    public static Tensor in(Storage storage, long offset, Device device, DType dtype, Shape shape) {
        return new Tensor(device, dtype, shape, storage, offset, null);
    }

    /** A tensor with this device and dtype, the given shape, and undefined elements. */
    public Tensor emptyLike(Shape shape) {
        return empty(device, dtype, shape, MemoryCategory.ACTIVATIONS);
    }

    // ---- properties ----

    public Device device() {
        return device;
    }

    /** The memory of this tensor's device. */
    public Backend backend() {
        return device.backend();
    }

    /** The kernels of this tensor's device; they check their operands. */
    public Kernels kernels() {
        return device.kernels();
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    /** The number of elements. */
    public long size() {
        return shape.size();
    }

    /** The number of bytes of the elements. */
    public long byteSize() {
        return shape.size() * dtype.bytes();
    }

    /** The name given with {@link #named}, if any. */
    public @Nullable String name() {
        return name;
    }

    /** The same tensor with a name, which errors mention: {@code model.layers.3.mlp.up_proj.weight}. */
    public Tensor named(String name) {
        return new Tensor(device, dtype, shape, storage, offset, name);
    }

    /**
     * The memory of this tensor; for backends.
     *
     * @throws IllegalStateException if its scope has closed or it was released
     */
    public Storage storage() {
        String reason = storage.released();
        if (reason != null) {
            throw new IllegalStateException("tensor " + describe() + " was used after " + reason);
        }
        return storage.memory();
    }

    /** What this tensor shares with its views, even if it has no memory now; to compare, not to use. */
    public Storage sharedStorage() {
        return storage;
    }

    /** Where this tensor begins in its {@link #storage()}, in elements; for backends. */
    public long offset() {
        return offset;
    }

    // ---- views ----

    /**
     * The same elements in another shape, without a copy.
     *
     * @throws ShapeException if the number of elements differs
     */
    public Tensor reshape(Shape shape) {
        if (shape.size() != size()) {
            throw new ShapeException(
                    "reshape",
                    "the tensor does not have the " + shape.size() + " elements of " + shape,
                    "the product of the lengths must be " + size(),
                    this);
        }
        return new Tensor(device, dtype, shape, storage, offset, name);
    }

    /**
     * {@link #reshape(Shape)}.
     *
     * @param lengths one of which may be −1 and is inferred
     */
    public Tensor reshape(long... lengths) {
        Shape inferred = shape.reshaped(lengths);
        if (inferred == null) {
            throw new ShapeException(
                    "reshape",
                    "no length in place of −1 in " + Arrays.toString(lengths) + " gives " + size() + " elements",
                    "the other lengths must divide that number",
                    this);
        }
        return reshape(inferred);
    }

    /**
     * A view of the elements from {@code from} (inclusive) to {@code to} (exclusive) along the first axis.
     *
     * @throws IllegalArgumentException if the range is not within the axis
     */
    public Tensor slice(long from, long to) {
        if (shape.rank() == 0 || from < 0 || to < from || to > shape.get(0)) {
            throw new IllegalArgumentException(
                    "slice: " + from + " to " + to + " is not within the first axis of " + shape);
        }
        long row = shape.get(0) == 0 ? 0 : size() / shape.get(0);
        return new Tensor(device, dtype, shape.with(0, to - from), storage, offset + from * row, name);
    }

    // ---- copies ----

    /** A copy, in the same memory category. */
    public Tensor copy() {
        return to(device, dtype, storage().category());
    }

    /** This tensor if it has the dtype already, otherwise a converted copy. */
    public Tensor to(DType dtype) {
        return dtype == this.dtype ? this : to(device, dtype, storage().category());
    }

    /** This tensor if it is on the device already, otherwise a copy there. */
    public Tensor to(Device device) {
        return device.equals(this.device) ? this : to(device, dtype, storage().category());
    }

    /** A copy with the given device, dtype and memory category. */
    public Tensor to(Device device, DType dtype, MemoryCategory category) {
        Tensor copy = empty(device, dtype, shape, category);
        copy.copyFrom(this);
        return name == null ? copy : copy.named(name);
    }

    /**
     * Overwrites the elements with those of another tensor, converted to this dtype.
     *
     * @throws ShapeException if the shapes differ
     */
    public void copyFrom(Tensor source) {
        if (!shape.equals(source.shape)) {
            throw new ShapeException("copy", "shapes differ", "reshape one of them first", this, source);
        }
        if (device.equals(source.device)) {
            kernels().cast().cast(source, this);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(Math.max(1, byteSize()), 8).asSlice(0, byteSize());
            HostCast.convert(source, dtype, host);
            backend().upload(host, this);
        }
    }

    /**
     * Frees the memory of this tensor and all its views before the scope closes. Optional; further calls do nothing.
     */
    public void release() {
        release("release() gave its memory back");
    }

    /**
     * {@link #release()}.
     *
     * @param reason what happened and the fix, for the error of a later use; it follows "was used after"
     */
    public void release(String reason) {
        storage.release(reason);
    }

    // ---- reading elements ----

    /** The elements, row by row. */
    public float[] toFloats() {
        float[] floats = new float[intSize()];
        HostCast.convert(this, DType.F32, MemorySegment.ofArray(floats));
        return floats;
    }

    /** The elements, row by row. */
    public double[] toDoubles() {
        double[] doubles = new double[intSize()];
        HostCast.convert(this, DType.F64, MemorySegment.ofArray(doubles));
        return doubles;
    }

    /**
     * The elements, row by row.
     *
     * @throws IllegalStateException if the dtype is not {@link DType#I32}
     */
    public int[] toInts() {
        if (dtype != DType.I32) {
            throw new IllegalStateException("toInts: the tensor is " + dtype + "; use toFloats or toDoubles");
        }
        int[] ints = new int[intSize()];
        backend().download(this, MemorySegment.ofArray(ints));
        return ints;
    }

    /**
     * The value of a tensor with one element.
     *
     * @throws IllegalStateException if it has more elements, or none
     */
    public double item() {
        if (size() != 1) {
            throw new IllegalStateException("item: the tensor " + describe() + " has " + size() + " elements, not one");
        }
        return toDoubles()[0];
    }

    private int intSize() {
        if (size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("tensor " + describe() + " has more elements than a Java array can hold");
        }
        return (int) size();
    }

    /**
     * Resolves an axis that may count from the end.
     *
     * @param operation the name in the error message
     * @throws IllegalArgumentException if this tensor has no such axis
     */
    public int axis(String operation, int axis) {
        if (axis < -shape.rank() || axis >= shape.rank()) {
            throw new IllegalArgumentException(operation + ": axis " + axis + " is not one of " + describe()
                    + "; axes are numbered from 0, or from -1 backward");
        }
        return shape.axis(axis);
    }

    /** The name, if there is one, and the shape, for errors: {@code model.norm.weight [64]}. */
    public String describe() {
        return name == null ? shape.toString() : name + " " + shape;
    }

    /** As {@code model.norm.weight F32 [64] on cpu}, and the elements when they are few. */
    @Override
    public String toString() {
        String head = (name == null ? "" : name + " ") + dtype + " " + shape + " on " + device;
        return !storage.isAlive() || size() > 16 ? head : head + " " + Arrays.toString(toDoubles());
    }
}

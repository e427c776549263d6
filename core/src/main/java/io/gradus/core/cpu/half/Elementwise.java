package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import java.util.List;

/** Functions applied to each element. Operands that are broadcast are divided along the axes that they have. */
record Elementwise(ElementwiseKernels kernels, ElementwiseKernels ofBlock, Blocks blocks)
        implements ElementwiseKernels {

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        if (Blocks.anyHalf(x, out)) {
            blocks.forEach(x.size(), (_, b) -> ofBlock.unary(op, b.get(0), b.get(1)), in(x), out(out));
        } else {
            kernels.unary(op, x, out);
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        if (!Blocks.anyHalf(x, y, dy, dx)) {
            kernels.unaryBackward(op, x, y, dy, dx, accumulate);
        } else if (x == y) {
            blocks.forEach(
                    x.size(),
                    (_, b) -> ofBlock.unaryBackward(op, b.get(0), b.get(0), b.get(1), b.get(2), accumulate),
                    in(x),
                    in(dy),
                    out(dx, accumulate));
        } else {
            blocks.forEach(
                    x.size(),
                    (_, b) -> ofBlock.unaryBackward(op, b.get(0), b.get(1), b.get(2), b.get(3), accumulate),
                    in(x),
                    in(y),
                    in(dy),
                    out(dx, accumulate));
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        if (Blocks.anyHalf(gate, up, out)) {
            blocks.forEach(
                    out.size(), (_, b) -> ofBlock.swiglu(b.get(0), b.get(1), b.get(2)), in(gate), in(up), out(out));
        } else {
            kernels.swiglu(gate, up, out);
        }
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        if (!Blocks.anyHalf(gate, up, dy, dgate.gradient(), dup.gradient())) {
            kernels.swigluBackward(gate, up, dy, dgate, dup);
            return;
        }
        blocks.forEach(
                dy.size(),
                (_, b) -> ofBlock.swigluBackward(
                        b.get(0),
                        b.get(1),
                        b.get(2),
                        new GradientBuffer(b.get(3), dgate.accumulate()),
                        new GradientBuffer(b.get(4), dup.accumulate())),
                in(gate),
                in(up),
                in(dy),
                out(dgate.gradient(), dgate.accumulate()),
                out(dup.gradient(), dup.accumulate()));
    }

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        if (!Blocks.anyHalf(a, b, out)) {
            kernels.binary(op, a, b, out, accumulate);
            return;
        }
        broadcast(
                out,
                accumulate,
                (parts, result) -> ofBlock.binary(op, parts.get(0), parts.get(1), result, accumulate),
                a,
                b);
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        if (!Blocks.anyHalf(a, b)) {
            kernels.compare(op, a, b, out);
            return;
        }
        broadcast(out, false, (parts, result) -> ofBlock.compare(op, parts.get(0), parts.get(1), result), a, b);
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        if (!Blocks.anyHalf(x, out)) {
            kernels.affine(x, scale, shift, out, accumulate);
            return;
        }
        broadcast(
                out, accumulate, (parts, result) -> ofBlock.affine(parts.get(0), scale, shift, result, accumulate), x);
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        if (!Blocks.anyHalf(a, b, out)) {
            kernels.where(condition, a, b, out, accumulate);
            return;
        }
        broadcast(
                out,
                accumulate,
                (parts, result) -> ofBlock.where(parts.get(0), parts.get(1), parts.get(2), result, accumulate),
                condition,
                a,
                b);
    }

    @Override
    public void fill(Tensor out, double value) {
        kernels.fill(out, value);
    }

    /** Computes a block of a result from the parts of the operands that broadcast to it. */
    @FunctionalInterface
    private interface Body {
        void run(List<Tensor> parts, Tensor result);
    }

    /**
     * Divides a result into rows along as many leading axes as possible: along these, each operand has either all lengths of the
     * result, and is divided too, or only lengths of 1, and is read as a whole by each row.
     */
    private void broadcast(Tensor out, boolean accumulate, Body body, Tensor... operands) {
        if (out.size() == 0) {
            return;
        }
        Shape shape = out.shape();
        int leading = 0;
        while (leading < shape.rank() && dividesAlong(leading + 1, shape, operands)) {
            leading++;
        }
        long rows = shape.sub(0, leading).size();
        Shape ofRow = shape.sub(leading, shape.rank());
        Tensor[] whole = new Tensor[operands.length];
        Shape[] ofRows = new Shape[operands.length];
        Blocks.Operand[] divided = new Blocks.Operand[operands.length + 1];
        int count = 0;
        divided[count++] = out(out, accumulate);
        int[] places = new int[operands.length];
        for (int i = 0; i < operands.length; i++) {
            Shape own = aligned(operands[i].shape(), shape.rank());
            ofRows[i] = own.sub(leading, shape.rank());
            if (own.sub(0, leading).equals(shape.sub(0, leading))) {
                places[i] = count;
                divided[count++] = in(operands[i]);
            } else {
                whole[i] = Blocks.whole(operands[i], i).reshape(ofRows[i]);
            }
        }
        blocks.forEach(
                rows,
                (_, b) -> {
                    long n = b.get(0).shape().get(0);
                    Tensor[] parts = new Tensor[operands.length];
                    for (int i = 0; i < parts.length; i++) {
                        Tensor read = whole[i];
                        parts[i] = read == null ? b.get(places[i]).reshape(rows(n, ofRows[i])) : read;
                    }
                    body.run(List.of(parts), b.get(0).reshape(rows(n, ofRow)));
                },
                java.util.Arrays.copyOf(divided, count));
    }

    private static Shape rows(long count, Shape ofRow) {
        Shape shape = Shape.of(count);
        for (int i = 0; i < ofRow.rank(); i++) {
            shape = shape.append(ofRow.get(i));
        }
        return shape;
    }

    private static boolean dividesAlong(int leading, Shape shape, Tensor... operands) {
        Shape lengths = shape.sub(0, leading);
        for (Tensor operand : operands) {
            Shape own = aligned(operand.shape(), shape.rank()).sub(0, leading);
            if (!own.equals(lengths) && own.size() != 1) {
                return false;
            }
        }
        return true;
    }

    /** A shape with lengths of 1 in front, so that it has {@code rank} axes. */
    private static Shape aligned(Shape shape, int rank) {
        Shape aligned = Shape.scalar();
        for (int i = shape.rank(); i < rank; i++) {
            aligned = aligned.append(1);
        }
        for (int i = 0; i < shape.rank(); i++) {
            aligned = aligned.append(shape.get(i));
        }
        return aligned;
    }
}

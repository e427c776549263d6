package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class TensorTest {
    private final Device cpu = Device.cpu(1);

    @Test
    void elementsAreRowMajor() {
        Tensor tensor = Tensor.of(cpu, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        assertThat(tensor.shape()).isEqualTo(Shape.of(2, 3));
        assertThat(tensor.dtype()).isEqualTo(DType.F32);
        assertThat(tensor.byteSize()).isEqualTo(24);
        assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(tensor.toDoubles()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(Tensor.of(new int[] {7, -8}, 2).toInts()).containsExactly(7, -8);
        assertThat(Tensor.of(new float[] {2.5f}).item()).isEqualTo(2.5);
    }

    @Test
    void wrongNumberOfElementsIsRejected() {
        assertThatThrownBy(() -> Tensor.of(new float[] {1, 2, 3}, 2, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("3 elements", "[2, 2]", "4");
    }

    @Test
    void emptyTensor() {
        Tensor empty = Tensor.of(cpu, new float[0], 0, 3);
        assertThat(empty.toFloats()).isEmpty();
        assertThat(empty.copy().toDoubles()).isEmpty();
        assertThat(empty.slice(0, 0).shape()).isEqualTo(Shape.of(0, 3));
        assertThat(empty.to(Device.reference(), DType.F64, MemoryCategory.WORKSPACE)
                        .toDoubles())
                .isEmpty();
    }

    @Test
    void reshapeAndSliceAreViewsOfTheSameMemory() {
        Tensor tensor = Tensor.of(cpu, new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
        Tensor tail = tensor.slice(1, 3);
        assertThat(tail.shape()).isEqualTo(Shape.of(2, 2));
        assertThat(tail.toFloats()).containsExactly(3, 4, 5, 6);
        assertThat(tail.slice(1, 2).reshape(2, 1).toFloats()).containsExactly(5, 6);
        assertThat(tensor.slice(1, 1).toFloats()).isEmpty();

        tensor.reshape(6).slice(4, 5).copyFrom(Tensor.of(cpu, new float[] {50}, 1));
        assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4, 50, 6);
    }

    @Test
    void invalidViewsAreRejected() {
        Tensor tensor = Tensor.of(cpu, new float[6], 3, 2);
        assertThatThrownBy(() -> tensor.reshape(4))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("reshape", "[3, 2]", "[4]", "6");
        assertThatThrownBy(() -> tensor.slice(2, 4)).hasMessageContainingAll("slice", "2 to 4", "[3, 2]");
        assertThatThrownBy(() -> tensor.slice(-1, 1)).hasMessageContaining("-1 to 1");
        assertThatThrownBy(() -> tensor.slice(2, 1)).hasMessageContaining("2 to 1");
        assertThatThrownBy(() -> Tensor.of(cpu, new float[1]).slice(0, 1)).hasMessageContaining("[]");
    }

    @Test
    void copiesBetweenDevicesAndDtypes() {
        Tensor tensor = Tensor.of(cpu, new float[] {1.5f, -2.25f, 1e30f}, 3).named("weight");
        Tensor reference = tensor.to(Device.reference(), DType.F64, MemoryCategory.WEIGHTS);
        assertThat(reference.toDoubles()).containsExactly(1.5, -2.25, 1e30f);
        assertThat(reference.device()).isEqualTo(Device.reference());
        assertThat(reference.storage().category()).isEqualTo(MemoryCategory.WEIGHTS);
        assertThat(reference.name()).isEqualTo("weight");
        assertThat(reference.to(cpu, DType.F32, MemoryCategory.WEIGHTS).toFloats())
                .isEqualTo(tensor.toFloats());

        assertThat(tensor.to(DType.BF16).to(DType.F32).slice(0, 2).toFloats()).containsExactly(1.5f, -2.25f);
        assertThat(tensor.to(DType.F16).toFloats()).containsExactly(1.5f, -2.25f, Float.POSITIVE_INFINITY);
        assertThat(tensor.slice(0, 2).to(DType.I32).toInts()).containsExactly(1, -2);
        assertThat(tensor.slice(1, 2).to(Device.reference()).dtype()).isEqualTo(DType.F32);
    }

    @Test
    void conversionToTheSameDtypeOrDeviceReturnsThis() {
        Tensor tensor = Tensor.of(cpu, new float[] {1, 2}, 2);
        assertThat(tensor.to(DType.F32)).isSameAs(tensor);
        assertThat(tensor.to(cpu)).isSameAs(tensor);
        Tensor copy = tensor.copy();
        tensor.copyFrom(Tensor.of(cpu, new float[] {8, 9}, 2));
        assertThat(copy.toFloats()).containsExactly(1, 2);
        assertThat(tensor.toFloats()).containsExactly(8, 9);
    }

    @Test
    void copyFromAnotherShapeIsRejected() {
        assertThatThrownBy(() -> Tensor.of(new float[2], 2).copyFrom(Tensor.of(new float[2], 2, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("copy", "[2]", "[2, 1]");
    }

    @Test
    void toIntsAndItemRejectOtherTensors() {
        assertThatThrownBy(() -> Tensor.of(new float[2], 2).toInts()).hasMessageContainingAll("toInts", "F32");
        assertThatThrownBy(() -> Tensor.of(new float[2], 2).named("loss").item())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("loss [2]", "2 elements");
    }

    @Test
    void zerosAndFull() {
        assertThat(Tensor.zeros(cpu, DType.F32, Shape.of(3), MemoryCategory.GRADIENTS)
                        .toFloats())
                .containsExactly(0, 0, 0);
        assertThat(Tensor.full(cpu, DType.I32, Shape.of(2), 4, MemoryCategory.GRADIENTS)
                        .toInts())
                .containsExactly(4, 4);
    }

    @Test
    void toStringShowsNameDtypeShapeAndElements() {
        Tensor tensor = Tensor.of(cpu, new float[] {1, 2}, 2).named("norm.weight");
        assertThat(tensor).hasToString("norm.weight F32 [2] on cpu [1.0, 2.0]");
        assertThat(Tensor.of(cpu, new float[17], 17)).hasToString("F32 [17] on cpu");
        tensor.release();
        assertThat(tensor).hasToString("norm.weight F32 [2] on cpu");
    }

    @Test
    void useAfterReleaseIsRejected() {
        Tensor tensor = Tensor.of(cpu, new float[] {1, 2}, 2).named("hidden");
        Tensor view = tensor.slice(0, 1);
        tensor.release();
        tensor.release();
        assertThatThrownBy(view::toFloats)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("hidden [", "release()");
    }
}

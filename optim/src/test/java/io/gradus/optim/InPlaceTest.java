package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;

/** Expected values are those of the PyTorch operation in the name, computed by hand. */
class InPlaceTest {
    private final Tensor x = Tensor.of(new float[] {4, -9}, 2);
    private final Tensor y = Tensor.of(new float[] {2, 3}, 2);

    private void assertX(float... elements) {
        assertThat(x.toFloats()).containsExactly(elements);
        assertThat(y.toFloats()).containsExactly(2, 3);
    }

    @Test
    void scaleMultipliesByANumber() {
        InPlace.scale(x, 0.5);
        assertX(2, -4.5f);
    }

    @Test
    void addAddsAMultipleOfATensor() {
        InPlace.add(x, y, -2);
        assertX(0, -15);
        InPlace.add(x, y);
        assertX(2, -12);
    }

    @Test
    void addAddsANumber() {
        InPlace.add(x, 1.5);
        assertX(5.5f, -7.5f);
    }

    @Test
    void addBroadcastsTheOtherTensor() {
        InPlace.add(x, Tensor.of(new float[] {10}, 1), 0.5);
        assertX(9, -4);
    }

    @Test
    void subtractMultiplyAndDivideAreElementwise() {
        InPlace.subtract(x, y);
        assertX(2, -12);
        InPlace.multiply(x, y);
        assertX(4, -36);
        InPlace.divide(x, y);
        assertX(2, -12);
    }

    @Test
    void multiplyByItselfSquares() {
        InPlace.multiply(x, x);
        assertX(16, 81);
    }

    @Test
    void lerpMovesTowardTheOtherTensor() {
        InPlace.lerp(x, y, 0.25);
        assertX(3.5f, -6);
        InPlace.lerp(x, y, 0);
        assertX(3.5f, -6);
        InPlace.lerp(x, y, 1);
        assertX(2, 3);
    }

    @Test
    void addProductIsAddcmul() {
        InPlace.addProduct(x, y, y, 0.5);
        assertX(6, -4.5f);
    }

    @Test
    void addQuotientIsAddcdiv() {
        InPlace.addQuotient(x, Tensor.of(new float[] {8, 6}, 2), y, -0.5);
        assertX(2, -10);
    }

    @Test
    void sqrtOfANegativeNumberIsNaN() {
        InPlace.sqrt(x);
        assertX(2, Float.NaN);
    }

    @Test
    void maximumAbsAndSignAreElementwise() {
        InPlace.maximum(x, y);
        assertX(4, 3);
        InPlace.scale(x, -1);
        InPlace.abs(x);
        assertX(4, 3);
        InPlace.add(x, -3);
        InPlace.sign(x);
        assertX(1, 0);
    }

    @Test
    void copyHasMemoryOfItsOwn() {
        Tensor copy = InPlace.copy(x);
        InPlace.scale(copy, 2);
        assertX(4, -9);
        assertThat(copy.toFloats()).containsExactly(8, -18);
    }

    @Test
    void shapesThatDoNotBroadcastAreRejected() {
        Tensor three = Tensor.of(new float[] {1, 2, 3}, 3);
        assertThatThrownBy(() -> InPlace.add(x, three, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> InPlace.multiply(x, three)).isInstanceOf(ShapeException.class);
    }
}

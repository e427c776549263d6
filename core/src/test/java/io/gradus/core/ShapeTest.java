package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class ShapeTest {

    @Test
    void countsElementsRowsAndAxes() {
        Shape shape = Shape.of(2, 3, 5);
        assertThat(shape.rank()).isEqualTo(3);
        assertThat(shape.size()).isEqualTo(30);
        assertThat(shape.last()).isEqualTo(5);
        assertThat(shape.rows()).isEqualTo(6);
        assertThat(shape.get(0)).isEqualTo(2);
        assertThat(shape.get(-1)).isEqualTo(5);
        assertThat(shape.strides()).containsExactly(15, 5, 1);
        assertThat(shape).hasToString("[2, 3, 5]");
    }

    @Test
    void positionCountsAlongEachAxis() {
        assertThat(Shape.of(2, 3, 5).position(29)).isEqualTo("[1, 2, 4]");
        assertThat(Shape.of(2, 3, 5).position(7)).isEqualTo("[0, 1, 2]");
        assertThat(Shape.scalar().position(0)).isEqualTo("[]");
    }

    @Test
    void scalarHasOneElementAndNoAxes() {
        Shape scalar = Shape.of();
        assertThat(scalar).isSameAs(Shape.scalar());
        assertThat(scalar.size()).isEqualTo(1);
        assertThat(scalar.last()).isEqualTo(1);
        assertThat(scalar.rows()).isEqualTo(1);
        assertThatThrownBy(() -> scalar.get(0)).hasMessage("axis 0 is not one of []");
    }

    @Test
    void emptyShapeHasNoRows() {
        assertThat(Shape.of(0, 5).size()).isZero();
        assertThat(Shape.of(0, 5).rows()).isZero();
        assertThat(Shape.of(5, 0).rows()).isZero();
    }

    @Test
    void shapeIsImmutable() {
        long[] lengths = {2, 3};
        Shape shape = Shape.of(lengths);
        lengths[0] = 7;
        shape.toArray()[1] = 7;
        assertThat(shape)
                .isEqualTo(Shape.of(2, 3))
                .hasSameHashCodeAs(Shape.of(2, 3))
                .isNotEqualTo(Shape.of(3, 2));
        assertThat(shape.with(-1, 9)).isEqualTo(Shape.of(2, 9));
        assertThat(shape.append(4, 5)).isEqualTo(Shape.of(2, 3, 4, 5));
        assertThat(shape.sub(0, 0)).isEqualTo(Shape.scalar());
        assertThat(shape).isEqualTo(Shape.of(2, 3));
    }

    @Test
    void invalidLengthsAndAxesAreRejected() {
        assertThatThrownBy(() -> Shape.of(2, -1))
                .hasMessageContaining("negative")
                .hasMessageContaining("[2, -1]");
        assertThatThrownBy(() -> Shape.of(Long.MAX_VALUE, 2)).hasMessageContaining("more elements");
        assertThatThrownBy(() -> Shape.of(2, 3).axis(2)).hasMessage("axis 2 is not one of [2, 3]");
        assertThatThrownBy(() -> Shape.of(2, 3).axis(-3)).hasMessage("axis -3 is not one of [2, 3]");
    }

    @Test
    void broadcastAlignsAtTheLastAxis() {
        assertThat(broadcast(Shape.of(2, 1, 4), Shape.of(3, 1))).isEqualTo(Shape.of(2, 3, 4));
        assertThat(broadcast(Shape.of(5), Shape.scalar())).isEqualTo(Shape.of(5));
        assertThat(broadcast(Shape.of(1), Shape.of(0))).isEqualTo(Shape.of(0));
        assertThatThrownBy(() -> broadcast(Shape.of(2, 3), Shape.of(2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("test", "[2, 3]", "[2]", "do not broadcast");
        assertThatThrownBy(() -> broadcast(Shape.of(3), Shape.of(0))).isInstanceOf(ShapeException.class);
    }

    private static Shape broadcast(Shape a, Shape b) {
        assertThat(Shape.broadcast("test", b, a)).isEqualTo(Shape.broadcast("test", a, b));
        return Shape.broadcast("test", a, b);
    }

    @Test
    void broadcastsToChecksCompatibility() {
        assertThat(Shape.of(3, 1).broadcastsTo(Shape.of(2, 3, 4))).isTrue();
        assertThat(Shape.scalar().broadcastsTo(Shape.of(0))).isTrue();
        assertThat(Shape.of(2, 3).broadcastsTo(Shape.of(3))).isFalse();
        assertThat(Shape.of(3).broadcastsTo(Shape.of(1))).isFalse();
    }

    @Test
    void broadcastStridesAreZeroAlongRepeatedAxes() {
        assertThat(Shape.of(3, 1).broadcastStrides(Shape.of(2, 3, 4))).containsExactly(0, 1, 0);
        assertThat(Shape.of(2, 3, 4).broadcastStrides(Shape.of(2, 3, 4))).containsExactly(12, 4, 1);
        assertThat(Shape.scalar().broadcastStrides(Shape.of(2))).containsExactly(0);
    }

    @Test
    void shapeExceptionNamesOperationShapesAndFix() {
        ShapeException error = new ShapeException("add", "lengths differ", "reshape one", Shape.of(2), Shape.of(3));
        assertThat(error).hasMessage("add: lengths differ: [2] and [3]; reshape one");
        assertThat(error.operation()).isEqualTo("add");
        assertThat(error.shapes()).containsExactly(Shape.of(2), Shape.of(3));
    }
}

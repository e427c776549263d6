package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Shape;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

final class StridedViewTest {

    /** The offset equals the sum of coordinates times strides, wherever the view is in the descriptor. */
    @Test
    void sourceMatchesStridesOfBroadcastShapes() {
        Shape to = Shape.of(2, 3, 1, 4, 5, 2, 3);
        for (Shape from : List.of(
                to,
                Shape.scalar(),
                Shape.of(3),
                Shape.of(5, 1, 3),
                Shape.of(2, 1, 1, 4, 1, 2, 1),
                Shape.of(3, 1, 1, 5, 1, 3))) {
            StridedView other = StridedView.broadcast(Shape.of(7, 1), Shape.of(7, 2));
            int[] ints = StridedView.describe(new int[] {9, 9}, other, StridedView.broadcast(from, to));
            IntArray descriptor = IntArray.fromArray(ints);
            int view = StridedView.next(descriptor, 2);
            long[] strides = from.broadcastStrides(to);
            for (int place = 0; place < to.size(); place++) {
                long expected = 0;
                int rest = place;
                for (int axis = to.rank() - 1; axis >= 0; axis--) {
                    expected += rest % to.get(axis) * strides[axis];
                    rest /= Math.toIntExact(to.get(axis));
                }
                assertThat((long) StridedView.source(descriptor, view, place)).isEqualTo(expected);
            }
        }
    }

    @Test
    void contiguousAxesAreMerged() {
        Shape shape = Shape.of(2, 3, 4);
        assertThat(StridedView.describe(new int[0], StridedView.broadcast(shape, shape)))
                .containsExactly(1, 24, 1);
        assertThat(StridedView.describe(new int[0], StridedView.broadcast(Shape.of(4), shape)))
                .containsExactly(2, 6, 4, 0, 1);
        assertThat(StridedView.describe(new int[0], StridedView.broadcast(Shape.scalar(), Shape.of(1, 1))))
                .containsExactly(1, 1, 0);
    }

    @Test
    void viewsThatExceedTheDescriptorAreRejected() {
        long[] from = new long[30];
        long[] to = new long[30];
        Arrays.setAll(from, i -> 1 + i % 2);
        Arrays.fill(to, 2);
        StridedView view = StridedView.broadcast(Shape.of(from), Shape.of(to));
        assertThatThrownBy(() -> StridedView.describe(new int[0], view))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("30 axes")
                .hasMessageContaining("reshape");
    }
}

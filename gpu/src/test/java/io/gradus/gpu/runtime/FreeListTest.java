package io.gradus.gpu.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class FreeListTest {

    @Test
    void allocatedPartsDoNotOverlapAndMergeWhenReleased() {
        FreeList list = new FreeList(64, 100_000);
        long all = list.free();
        SplittableRandom random = new SplittableRandom(7);
        List<int[]> taken = new ArrayList<>();
        for (int round = 0; round < 20_000; round++) {
            if (random.nextInt(3) > 0) {
                int length = random.nextInt(1, 2000);
                int from = list.allocate(length);
                if (from >= 0) {
                    for (int[] other : taken) {
                        assertThat(from + length <= other[0] || other[0] + other[1] <= from)
                                .isTrue();
                    }
                    assertThat(from).isBetween(64, 100_000 - length);
                    taken.add(new int[] {from, length});
                }
            } else if (!taken.isEmpty()) {
                int[] part = taken.remove(random.nextInt(taken.size()));
                list.release(part[0], part[1]);
            }
        }
        taken.forEach(part -> list.release(part[0], part[1]));
        assertThat(list.free()).isEqualTo(all);
        assertThat(list.largest()).isEqualTo((int) all);
    }

    @Test
    void allocationLargerThanAllHolesFails() {
        FreeList list = new FreeList(0, 64);
        assertThat(list.allocate(65)).isEqualTo(-1);
        assertThat(list.allocate(33)).isZero();
        assertThat(list.allocate(1)).isEqualTo(-1);
    }

    @Test
    void emptyAllocationsHaveDistinctOffsets() {
        FreeList list = new FreeList(0, 64);
        assertThat(list.allocate(0)).isZero();
        assertThat(list.allocate(0)).isEqualTo(FreeList.ALIGNMENT);
    }
}

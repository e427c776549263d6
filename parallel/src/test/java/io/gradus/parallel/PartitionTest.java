package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionTest {
    /** Sizes of a layer: matrices, and short vectors between them; odd, empty, and just below and above two chunks. */
    private static final List<Long> LAYER = List.of(7L, 7_000L, 105L, 0L, 1L, 1999L, 2000L, 2001L, 15_015L, 33L);

    private static final long CHUNK = 1000;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7, 64})
    void rangesCoverEveryElementOnceAndAreCutAtChunks(int ranks) {
        Partition partition = new Partition(ranks, CHUNK);
        for (int layer = 0; layer < 5; layer++) {
            List<Shards> shards = partition.ranges(LAYER);
            assertThat(shards).hasSize(LAYER.size());
            for (int i = 0; i < LAYER.size(); i++) {
                Shards each = shards.get(i);
                assertThat(each.ranks()).isEqualTo(ranks);
                assertThat(each.elements()).isEqualTo(LAYER.get(i));
                assertThat(each.from(0)).isZero();
                for (int rank = 0; rank < ranks; rank++) {
                    assertThat(each.from(rank) % CHUNK == 0 || each.from(rank) == each.elements())
                            .isTrue();
                    assertThat(each.size(rank) == 0 || each.isWhole(rank) || each.size(rank) >= CHUNK)
                            .as("%s of rank %d", each, rank)
                            .isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 7})
    void loadsOfManyLayersDifferByLessThanTwoChunks(int ranks) {
        Partition partition = new Partition(ranks, CHUNK);
        for (int layer = 0; layer < 40; layer++) {
            partition.ranges(LAYER);
        }
        assertThat(spread(partition)).isLessThan(2 * CHUNK + 1000);
    }

    @Test
    void ranksThatHadLessGetMoreOfTheNextGroup() {
        Partition partition = new Partition(2, CHUNK);
        assertThat(partition.ranges(List.of(3_000L))).hasToString("[[0, 2000, 3000]]");
        assertThat(partition.ranges(List.of(3_000L))).hasToString("[[0, 1000, 3000]]");
        assertThat(partition.loads()).containsExactly(3_000L, 3_000L);
    }

    @Test
    void shortTensorsAreNotAllGivenToOneRank() {
        Partition partition = new Partition(4, CHUNK);
        List<Shards> shards = partition.ranges(Collections.nCopies(8, 10L));
        assertThat(partition.loads()).containsExactly(20L, 20L, 20L, 20L);
        assertThat(shards).allMatch(each -> each.longest() == 10);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 64})
    void wholeTensorsHaveOneOwnerEach(int ranks) {
        Partition partition = new Partition(ranks, CHUNK);
        List<Shards> all = new ArrayList<>();
        for (int layer = 0; layer < 20; layer++) {
            all.addAll(partition.whole(LAYER));
        }
        assertThat(all).allMatch(each -> each.longest() == each.elements());
        assertThat(spread(partition)).isLessThanOrEqualTo(15_015);
    }

    @Test
    void chunksOfTheSumOfSquaresAreNeverCut() {
        List<Shards> shards = new Partition(3, 1 << 15).ranges(List.of(50257L * 768, 1024L * 768, 768L));
        for (Shards each : shards) {
            for (int rank = 1; rank < 3; rank++) {
                assertThat(each.from(rank) % (1 << 15) == 0 || each.size(rank) == 0)
                        .isTrue();
            }
        }
    }

    @Test
    void impossibleDivisionsAreRejected() {
        assertThatThrownBy(() -> Shards.of(0, 3, 2)).hasMessageStartingWith("shards: the bounds [0, 3, 2] do not");
        assertThatThrownBy(() -> Shards.of(1, 3)).hasMessageContaining("begin at 0");
        assertThatThrownBy(() -> Shards.equal(3, 0)).hasMessage("shards: 3 elements for 0 ranks");
        assertThatThrownBy(() -> new Partition(0, 5)).hasMessageContaining("0 ranks");
    }

    private static long spread(Partition partition) {
        return Collections.max(partition.loads()) - Collections.min(partition.loads());
    }
}

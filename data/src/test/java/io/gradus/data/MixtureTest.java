package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.data.Batches.Row;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.Mixture.Source;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MixtureTest {

    private static Blocks blocks(String letters, int count) {
        return Blocks.pack(List.of(new Text(letters.repeat(count))), new ByteTokenizer(), 4);
    }

    private static Source source(int rows, double weight) {
        return new Source("source of " + rows, blocks("abcd", rows), weight);
    }

    @Test
    void everyRangeOfRowsHasTheSharesToWithinTwoRows() {
        for (double[] weights : new double[][] {{1}, {19, 1}, {0.5, 0.5}, {3, 2, 1}, {1e-3, 5, 1, 0.7}}) {
            Mixture mixture = Mixture.of(
                    Arrays.stream(weights).mapToObj(weight -> source(3, weight)).toList());
            double total = Arrays.stream(weights).sum();
            for (long seed = 0; seed < 5; seed++) {
                Mixture.Places places = mixture.places(seed);
                long[] counts = new long[weights.length];
                for (long row = 0; row < 3000; row++) {
                    Mixture.Place place = places.of(row);
                    assertThat(place.number()).isEqualTo(counts[place.source()]++);
                    for (int j = 0; j < weights.length; j++) {
                        assertThat(counts[j] - (row + 1) * weights[j] / total).isBetween(-(j + 2.0), j + 2.0);
                    }
                }
            }
        }
    }

    @Test
    void replayShareHoldsInEachBatch() {
        Mixture mixture = Mixture.of(blocks("abcd", 100)).with("general", blocks("wxyz", 7), 0.05);
        Batches batches = new Batches(mixture, 8, 42, true);
        long[] general = LongStream.range(0, 500)
                .map(i -> batches.rows(i).stream()
                        .filter(row -> row.source() == 0)
                        .count())
                .toArray();
        assertThat(Arrays.stream(general).max()).hasValue(1);
        assertThat(Arrays.stream(general).sum()).isBetween(199L, 201L);
        for (int i = 0; i + 5 <= general.length; i++) {
            assertThat(Arrays.stream(general, i, i + 5).sum()).isEqualTo(2);
        }
        Batches quarter =
                new Batches(Mixture.of(blocks("abcd", 100)).with("general", blocks("wxyz", 7), 0.25), 8, 1, true);
        assertThat(LongStream.range(0, 50)
                        .map(i -> quarter.rows(i).stream()
                                .filter(row -> row.source() == 0)
                                .count()))
                .containsOnly(2L);
    }

    @Test
    void eachSourceHasItsOwnShuffledEpochs() {
        Mixture mixture = Mixture.of(List.of(source(10, 3), source(4, 1)));
        Batches batches = new Batches(mixture, 6, 7, true);
        Map<Integer, List<Integer>> drawn = new HashMap<>();
        for (int i = 0; i < 40; i++) {
            for (Row row : batches.rows(i)) {
                drawn.computeIfAbsent(row.source(), _ -> new ArrayList<>()).add(row.index());
            }
        }
        drawn.forEach((source, indices) -> {
            int size = mixture.sources().get(source).blocks().size();
            for (int from = 0; from + size <= indices.size(); from += size) {
                assertThat(indices.subList(from, from + size))
                        .containsExactlyInAnyOrderElementsOf(
                                IntStream.range(0, size).boxed().toList());
            }
            assertThat(indices.subList(0, size)).isNotEqualTo(indices.subList(size, 2 * size));
        });
        assertThat(drawn.get(0)).hasSize(180);
    }

    @Test
    void mixedBatchIsAFunctionOfSeedAndNumber() {
        Mixture mixture = Mixture.of(List.of(source(10, 3), source(4, 1))).with("general", blocks("wxyz", 5), 0.1);
        Batches forwards = new Batches(mixture, 5, 9, true);
        Batches backwards = new Batches(mixture, 5, 9, true);
        Batches other = new Batches(mixture, 5, 10, true);
        List<List<Row>> late = IntStream.range(0, 60)
                .mapToObj(i -> backwards.rows(59 - i))
                .toList()
                .reversed();
        boolean differs = false;
        for (int i = 0; i < 60; i++) {
            assertThat(forwards.rows(i)).isEqualTo(late.get(i));
            differs |= !other.rows(i).equals(late.get(i));
        }
        assertThat(differs).isTrue();
        List<List<Row>> together =
                IntStream.range(0, 60).parallel().mapToObj(forwards::rows).toList();
        assertThat(together).isEqualTo(late);
        assertThat(forwards.batch(3, Device.cpu(1)).ids().toInts())
                .isEqualTo(backwards.batch(3, Device.cpu(2)).ids().toInts());
    }

    @Test
    void epochIsTheTaskPlusReplayedText() {
        Mixture task = Mixture.of(List.of(source(90, 1), source(10, 5)));
        assertThat(task.rowsPerEpoch()).isEqualTo(100);
        assertThat(task.with("general", blocks("wxyz", 3), 0.2).rowsPerEpoch()).isEqualTo(125);
        assertThat(task.with("general", blocks("wxyz", 3), 0)).isSameAs(task);
        assertThat(new Batches(task, 8, 0, true).batchesPerEpoch()).isEqualTo(13);
        assertThat(Mixture.of(blocks("abcd", 9)).tokens())
                .isEqualTo(blocks("abcd", 9).tokens());
        assertThat(task.tokens()).isEqualTo(400);
        assertThat(task.maxId()).isEqualTo(256);
        Blocks pairs =
                Blocks.pack(List.of(new PromptCompletion("ab", "c")), new ByteTokenizer(), 4, Packing.DOCUMENTS, null);
        Mixture unlike = Mixture.of(pairs).with("general", blocks("wxyz", 3), 0.5);
        assertThat(unlike.shareOfLoss(0)).isEqualTo(4 / 6.0);
        assertThat(unlike.shareOfLoss(1)).isEqualTo(2 / 6.0);
    }

    @Test
    void singleSourceHasItsBlocksAsRows() {
        Blocks blocks = blocks("abcd", 17);
        assertThat(new Batches(Mixture.of(blocks), 4, 3, true).rows(9))
                .isEqualTo(new Batches(blocks, 4, 3, true).rows(9));
    }

    @Test
    void invalidSharesAndSourcesAreRejected() {
        Blocks other = Blocks.pack(List.of(new Text("abcdefgh")), new ByteTokenizer(), 3);
        for (double weight : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> source(2, weight)).hasMessageContaining("weight of a source is " + weight);
        }
        for (double share : new double[] {1, -0.1, Double.NaN}) {
            assertThatThrownBy(() -> Mixture.of(blocks("abcd", 2)).with("general", other, share))
                    .hasMessageContaining("data.replay_ratio is " + share);
        }
        assertThatThrownBy(() -> Mixture.of(blocks("abcd", 2)).with("general", other, 0.5))
                .hasMessageContaining("tokens");
        assertThatThrownBy(() -> Mixture.of(List.of())).hasMessageContaining("the list is empty");
        assertThatThrownBy(() -> new Batches(Mixture.of(List.of(source(2, 1), source(2, 1))), 1, 0, false))
                .hasMessageContaining("shuffle");
    }
}

package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Document.Text;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BatchesTest {

    private static Blocks blocks(int count) {
        return Blocks.pack(List.of(new Text("abcd".repeat(count))), new ByteTokenizer(), 4);
    }

    /** The blocks of some batches, one after the other. */
    private static int[] indices(Batches batches, long from, long to) {
        return LongStream.range(from, to)
                .mapToObj(i -> indicesOf(batches, i))
                .flatMapToInt(Arrays::stream)
                .toArray();
    }

    private static int[] indicesOf(Batches batches, long index) {
        return batches.rows(index).stream().mapToInt(Batches.Row::index).toArray();
    }

    private static int[] all(int size) {
        return IntStream.range(0, size).toArray();
    }

    @Test
    void shuffledEpochIsAPermutationOfTheBlocks() {
        for (int size : new int[] {1, 2, 7, 64, 101}) {
            for (int batchSize : new int[] {1, 3, 8}) {
                Batches batches = new Batches(blocks(size), batchSize, 42, true);
                int[] drawn = indices(batches, 0, size); // batchSize epochs exactly
                for (int epoch = 0; epoch < batchSize; epoch++) {
                    int[] order = Arrays.copyOfRange(drawn, epoch * size, (epoch + 1) * size);
                    assertThat(Arrays.stream(order).sorted().toArray()).isEqualTo(all(size));
                }
            }
        }
    }

    @Test
    void orderDependsOnSeedAndEpoch() {
        Blocks blocks = blocks(100);
        int[] first = indices(new Batches(blocks, 10, 1, true), 0, 10);
        assertThat(indices(new Batches(blocks, 10, 1, true), 0, 10)).isEqualTo(first);
        assertThat(indices(new Batches(blocks, 10, 1, true), 10, 20)).isNotEqualTo(first);
        assertThat(indices(new Batches(blocks, 10, 2, true), 0, 10)).isNotEqualTo(first);
        assertThat(first).isNotEqualTo(all(100));
    }

    @Test
    void shuffleIsUniform() {
        Batches batches = new Batches(blocks(5), 5, 3, true);
        int[][] times = new int[5][5];
        int epochs = 5000;
        for (int epoch = 0; epoch < epochs; epoch++) {
            int[] order = indicesOf(batches, epoch);
            for (int place = 0; place < 5; place++) {
                times[place][order[place]]++;
            }
        }
        // Each is binomial, mean 1000 and standard deviation 28.
        assertThat(Arrays.stream(times).flatMapToInt(Arrays::stream)).allMatch(n -> Math.abs(n - 1000) < 5 * 28);
    }

    @Test
    void batchIsAFunctionOfItsNumber() {
        Batches forwards = new Batches(blocks(13), 4, 9, true);
        Batches backwards = new Batches(blocks(13), 4, 9, true);
        int[][] later = new int[40][];
        for (int i = 39; i >= 0; i--) {
            later[i] = indicesOf(backwards, i);
        }
        for (int i = 0; i < 40; i++) {
            assertThat(indicesOf(forwards, i)).isEqualTo(later[i]).hasSize(4);
        }
    }

    @Test
    void lastBatchInOrderMayBeSmaller() {
        Batches batches = new Batches(blocks(7), 3, 0, false);
        assertThat(batches.batchesPerEpoch()).isEqualTo(3);
        assertThat(indices(batches, 0, 3)).isEqualTo(all(7));
        assertThat(indicesOf(batches, 2)).containsExactly(6);
        assertThat(indicesOf(batches, 3)).containsExactly(0, 1, 2);
        Batch last = batches.batch(2, Device.cpu());
        assertThat(last.ids().shape()).isEqualTo(Shape.of(1, 4));
    }

    @Test
    void batchHasTheTokensAndTargetsOfItsBlocks() {
        Blocks blocks = blocks(6);
        Batches batches = new Batches(blocks, 2, 5, true);
        for (long i = 0; i < 6; i++) {
            Batch batch = batches.batch(i, Device.cpu());
            assertThat(batch.ids().shape()).isEqualTo(Shape.of(2, 4));
            assertThat(batch.targets().shape()).isEqualTo(Shape.of(8));
            assertThat(batch.ids().dtype()).isEqualTo(DType.I32);
            assertThat(batch.targets().dtype()).isEqualTo(DType.I32);
            int[] chosen = indicesOf(batches, i);
            assertThat(batch.ids().toInts())
                    .isEqualTo(Arrays.stream(chosen)
                            .flatMap(b -> Arrays.stream(blocks.get(b).ids()))
                            .toArray());
            int[] targets = batch.targets().toInts();
            assertThat(targets)
                    .isEqualTo(Arrays.stream(chosen)
                            .flatMap(b -> Arrays.stream(blocks.get(b).targets()))
                            .toArray());
            assertThat(batch.counted())
                    .isEqualTo(Arrays.stream(targets)
                            .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                            .count());
        }
    }

    @Test
    void invalidBatchSizeAndIndexAreRejected() {
        assertThatThrownBy(() -> new Batches(blocks(2), 0, 0, true)).hasMessageContaining("batch_size is 0");
        assertThatThrownBy(() -> new Batches(blocks(2), 1, 0, true).batch(-1, Device.cpu()))
                .hasMessageContaining("count from 0");
    }

    // ---- contiguous ----

    @Test
    void rowsOfContiguousBatchesContinueThoseOfTheBatchBefore() {
        Batches batches = Batches.contiguous(blocks(11), 3, 1);
        assertThat(batches.batchesPerEpoch()).isEqualTo(3);
        assertThat(indices(batches, 0, 4)).containsExactly(0, 3, 6, 1, 4, 7, 2, 5, 8, 0, 3, 6);
        Batch first = batches.batch(0, Device.cpu());
        Batch second = batches.batch(1, Device.cpu());
        int[] targets = first.targets().toInts();
        int[] next = second.ids().toInts();
        for (int row = 0; row < 3; row++) {
            assertThat(targets[4 * row + 3])
                    .as("the target of a row's last token is the next row's first")
                    .isEqualTo(next[4 * row]);
        }
        assertThat(second.input().cache()).isSameAs(first.input().cache()).isNotNull();
    }

    @Test
    void stateIsCarriedUntilTheEpochEndsOrABatchIsSkipped() {
        Batches batches = Batches.contiguous(blocks(11), 3, 1);
        for (long[] pair : new long[][] {{0, 1}, {1, 2}, {3, 4}}) {
            keep(batches.batch(pair[0], Device.cpu()));
            assertThat(state(batches.batch(pair[1], Device.cpu())))
                    .as("batch %d", pair[1])
                    .isNotNull();
        }
        for (long[] pair : new long[][] {{2, 3}, {0, 2}, {1, 1}}) {
            keep(batches.batch(pair[0], Device.cpu()));
            assertThat(state(batches.batch(pair[1], Device.cpu())))
                    .as("batch %d", pair[1])
                    .isNull();
        }
    }

    @Test
    void restoredStateContinuesWhereItWasSaved() {
        Batches batches = Batches.contiguous(blocks(11), 3, 1);
        assertThat(batches.state()).isEmpty();
        keep(batches.batch(0, Device.cpu()));
        Batches other = Batches.contiguous(blocks(11), 3, 1);
        other.load(batches.state());
        assertThat(state(other.batch(1, Device.cpu()))).isEqualTo(new float[] {1, 2, 3});
        assertThatThrownBy(() -> Batches.contiguous(blocks(11), 2, 1).load(batches.state()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 rows");
        assertThatThrownBy(() -> Batches.contiguous(blocks(11), 3, 2).load(batches.state()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1.hidden");
    }

    @Test
    void tooFewBlocksForContiguousRowsAreRejected() {
        assertThatThrownBy(() -> Batches.contiguous(blocks(3), 4, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("smaller batch_size");
    }

    @Test
    void randomLengthsReadEveryTokenOfEachEpoch() {
        String text =
                new Random(1).ints(245, 'a', 'z').mapToObj(Character::toString).collect(Collectors.joining());
        Blocks blocks = Blocks.pack(List.of(new Text(text)), new ByteTokenizer(), 4); // 61
        Batches whole = Batches.contiguous(blocks, 3, 1);
        Batches batches = Batches.ofRandomLengths(blocks, 3, 1, 7);
        long index = 0;
        for (int epoch = 0; epoch < 2; epoch++) {
            List<List<Integer>> rows = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            while (rows.getFirst().size() < 80) {
                Batch batch = batches.batch(index, Device.cpu());
                int length = (int) batch.ids().shape().get(1);
                assertThat(length).isBetween(1, 4);
                assertThat(batches.rateFactor(index)).isEqualTo(length / 4.0);
                assertThat(state(batch) == null).isEqualTo(rows.getFirst().isEmpty());
                keep(batch);
                int[] ids = batch.ids().toInts();
                int[] targets = batch.targets().toInts();
                for (int i = 0; i < ids.length; i++) {
                    rows.get(i / length).add(ids[i]);
                    if ((i + 1) % length != 0) {
                        assertThat(targets[i]).isEqualTo(ids[i + 1]);
                    }
                }
                index++;
            }
            for (int row = 0; row < 3; row++) {
                assertThat(rows.get(row)).isEqualTo(row(whole, row, epoch * 20L, 20));
            }
            assertThat(epoch > 0 || index == batches.batchesPerEpoch()).isTrue();
        }
        assertThat(indicesOf(batches, 0)).containsExactly(0, 20, 40);
    }

    private static List<Integer> row(Batches batches, int row, long from, int count) {
        List<Integer> ids = new ArrayList<>();
        for (long index = from; index < from + count; index++) {
            int[] all = batches.batch(index, Device.cpu()).ids().toInts();
            for (int i = 0; i < batches.length(); i++) {
                ids.add(all[row * batches.length() + i]);
            }
        }
        return ids;
    }

    @Test
    void randomLengthsAreNearTheUsualOneOrItsHalf() {
        RandomLengths lengths = new RandomLengths(100_000, 70, 3);
        int count = (int) lengths.first();
        int[] drawn = IntStream.range(0, count - 1)
                .map(batch -> lengths.part(batch).length())
                .toArray();
        assertThat(Arrays.stream(drawn)).allMatch(length -> length >= 5 && length <= 70);
        double halves =
                (double) Arrays.stream(drawn).filter(length -> length < 52).count() / drawn.length;
        assertThat(halves).isBetween(0.03, 0.07);
        double mean =
                Arrays.stream(drawn).filter(length -> length >= 52).average().orElseThrow();
        assertThat(mean).isBetween(67.0, 69.0); // 70 − 5/√(2π), rounded down
        long second = lengths.part(count).from();
        assertThat(second).isZero();
        assertThat(new RandomLengths(100_000, 70, 3).part(count + 5L)).isEqualTo(lengths.part(count + 5L));
        assertThat(lengths.part(count + 5L)).isNotEqualTo(lengths.part(5));
    }

    private static void keep(Batch batch) {
        Tensor state = Tensor.of(new float[] {1, 2, 3}, 3, 1);
        batch.input().cache().keep(0, new KeyValueCache.Recurrence(state, state), 4);
    }

    private static float[] state(Batch batch) {
        KeyValueCache.Recurrence kept = batch.input().cache().recurrence(0);
        return kept == null ? null : kept.hidden().toFloats();
    }
}

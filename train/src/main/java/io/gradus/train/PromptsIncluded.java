package io.gradus.train;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import java.util.Arrays;
import java.util.Random;

/**
 * The same batches with the tokens of prompts as targets too, as in pre-training. Targets never cross from one document of a row
 * to the next. What follows the last target of a row, such as padding, is left out.
 *
 * @param shuffled whether the tokens of each document are in random order, which a model that knows them finds less likely
 */
record PromptsIncluded(BatchSource source, boolean shuffled) implements BatchSource {

    @Override
    public int batchSize() {
        return source.batchSize();
    }

    @Override
    public int length() {
        return source.length();
    }

    @Override
    public long batchesPerEpoch() {
        return source.batchesPerEpoch();
    }

    @Override
    public long tokensPerEpoch() {
        return source.tokensPerEpoch();
    }

    @Override
    public Batch batch(long index, Device device) {
        Batch batch = source.batch(index, device);
        int[] ids = batch.ids().toInts();
        int[] targets = batch.targets().toInts();
        int[] starts = batch.documentStarts() == null
                ? new int[ids.length]
                : batch.documentStarts().toInts();
        int length = Math.toIntExact(batch.ids().shape().get(1));
        Random random = new Random(index);
        for (int row = 0; row < ids.length; row += length) {
            int end = row + length;
            while (end > row && targets[end - 1] == CrossEntropy.IGNORE_INDEX) {
                end--;
            }
            for (int first = row; first < end; ) {
                int last = first;
                while (last + 1 < end && starts[last + 1] == starts[first]) {
                    last++;
                }
                if (shuffled) {
                    shuffle(ids, first, last, random);
                }
                System.arraycopy(ids, first + 1, targets, first, last - first);
                first = last + 1;
            }
        }
        long counted = Arrays.stream(targets)
                .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                .count();
        return new Batch(
                Tensor.of(device, ids, ids.length / length, length),
                Tensor.of(device, targets, targets.length),
                counted,
                batch.positions(),
                batch.documentStarts());
    }

    /** Puts the tokens after the first in random order (Durstenfeld 1964). */
    private static void shuffle(int[] ids, int first, int last, Random random) {
        for (int i = last; i > first + 1; i--) {
            int j = random.nextInt(first + 1, i + 1);
            int swapped = ids[i];
            ids[i] = ids[j];
            ids[j] = swapped;
        }
    }
}

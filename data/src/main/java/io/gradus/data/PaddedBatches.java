package io.gradus.data;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.tokenizer.EncodedText;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Texts in numbered batches, one text per row, or a long one in several, padded on the right to the longest of the batch, or a little more. A batch is a function of its
 * number alone.
 *
 * <p>Shuffled, for training: each epoch has its own order, and a batch may contain the end of one epoch and the beginning of the
 * next. In order, for evaluation: the last batch may be smaller.
 */
public final class PaddedBatches implements BatchSource {
    /** The Philox stream of the shuffle, as that of {@link Batches}. */
    private static final int PLACE = -1;

    /**
     * The length of a row is a multiple of this. Memory is kept from step to step by size, so fewer lengths are fewer sizes to keep.
     */
    private static final int LENGTH_STEP = 8;

    private final List<List<EncodedText>> texts; // in windows
    private final Targets targets;
    private final Settings settings;
    private final EpochOrder order;

    /** Makes the targets of a batch. */
    public interface Targets {
        /**
         * The targets of rows.
         *
         * @param rows indices of texts
         * @param length of the longest of these
         */
        Tensor of(int[] rows, int length, Device device);

        /** The number of targets of rows that count in the loss; by default one per row. */
        default long counted(int[] rows) {
            return rows.length;
        }
    }

    /**
     * How rows become batches.
     *
     * @param batchSize the most rows of a batch, at least 1
     * @param length the most tokens of a row
     * @param pad the id that fills rows
     * @param seed of the shuffle
     * @param shuffle whether the batches are for training
     */
    public record Settings(int batchSize, int length, int pad, long seed, boolean shuffle) {
        public Settings {
            if (batchSize < 1) {
                throw new IllegalArgumentException("batch_size is " + batchSize + "; it must be at least 1");
            }
        }
    }

    /** @param rows at least one, each with at least one and at most {@code settings.length} tokens */
    public PaddedBatches(List<EncodedText> rows, Targets targets, Settings settings) {
        this(targets, settings, rows.stream().map(List::of).toList());
    }

    private PaddedBatches(Targets targets, Settings settings, List<List<EncodedText>> texts) {
        this.texts = List.copyOf(texts);
        this.targets = targets;
        this.settings = settings;
        this.order = new EpochOrder(texts.size(), settings.seed, PLACE);
    }

    /** Batches of texts in windows, each of which has a row: see {@link WindowPooling}. */
    public static PaddedBatches ofWindows(List<List<EncodedText>> texts, Targets targets, Settings settings) {
        return new PaddedBatches(targets, settings, texts);
    }

    @Override
    public int batchSize() {
        return settings.batchSize;
    }

    @Override
    public int length() {
        return settings.length;
    }

    @Override
    public long batchesPerEpoch() {
        return Math.ceilDiv(texts.size(), settings.batchSize);
    }

    @Override
    public long tokensPerEpoch() {
        return texts.stream()
                .flatMap(List::stream)
                .mapToLong(row -> row.ids().length)
                .sum();
    }

    /** The number of texts. */
    public int size() {
        return texts.size();
    }

    /** The windows of a text; one, if it has a single row. */
    public List<EncodedText> windows(int text) {
        return texts.get(text);
    }

    /** The texts of a batch. */
    public int[] rows(long index) {
        if (index < 0) {
            throw new IllegalArgumentException("batch " + index + " was asked for; they count from 0");
        }
        if (!settings.shuffle) {
            int from = Math.toIntExact(index % batchesPerEpoch() * settings.batchSize);
            return IntStream.range(from, (int) Math.min(texts.size(), (long) from + settings.batchSize))
                    .toArray();
        }
        long first = Math.multiplyExact(index, (long) settings.batchSize);
        return LongStream.range(first, first + settings.batchSize)
                .mapToInt(order::item)
                .toArray();
    }

    @Override
    public Batch batch(long index, Device device) {
        int[] chosen = rows(index);
        List<List<EncodedText>> windows =
                Arrays.stream(chosen).mapToObj(texts::get).toList();
        int length = Math.min(settings.length, Math.ceilDiv(longest(windows), LENGTH_STEP) * LENGTH_STEP);
        Tensor made = targets.of(chosen, length, device);
        return batch(windows, length, settings.pad, made, targets.counted(chosen), device);
    }

    /**
     * A batch without targets, for a model that is used and not trained.
     *
     * @param windows of texts, at least one
     * @param pad the id that fills rows
     */
    public static Batch input(List<List<EncodedText>> windows, int pad, Device device) {
        Tensor targets = Tensor.of(device, new int[windows.size()], windows.size());
        return batch(windows, longest(windows), pad, targets, 0, device);
    }

    private static int longest(List<List<EncodedText>> windows) {
        return windows.stream()
                .flatMap(List::stream)
                .mapToInt(text -> text.ids().length)
                .max()
                .orElseThrow();
    }

    private static Batch batch(
            List<List<EncodedText>> windows, int length, int pad, Tensor targets, long counted, Device device) {
        List<EncodedText> texts = windows.stream().flatMap(List::stream).toList();
        int[] textOfRow = IntStream.range(0, windows.size())
                .flatMap(text -> windows.get(text).stream().mapToInt(_ -> text))
                .toArray();
        int[] ids = new int[Math.multiplyExact(texts.size(), length)];
        int[] mask = new int[ids.length];
        int[] types = new int[ids.length];
        Arrays.fill(ids, pad);
        for (int i = 0; i < texts.size(); i++) {
            EncodedText text = texts.get(i);
            System.arraycopy(text.ids(), 0, ids, i * length, text.ids().length);
            System.arraycopy(text.tokenTypeIds(), 0, types, i * length, text.ids().length);
            Arrays.fill(mask, i * length, i * length + text.ids().length, 1);
        }
        boolean padded = Arrays.stream(mask).anyMatch(each -> each == 0);
        boolean typed = Arrays.stream(types).anyMatch(type -> type != 0);
        Tensor idTensor = Tensor.of(device, ids, texts.size(), length);
        return new Batch(
                idTensor,
                targets,
                counted,
                null,
                null,
                padded ? Tensor.of(device, mask, texts.size(), length) : null,
                typed ? Tensor.of(device, types, texts.size(), length) : null,
                null,
                textOfRow.length > windows.size() ? Tensor.of(device, textOfRow, textOfRow.length) : null);
    }
}

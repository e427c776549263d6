package io.gradus.data;

import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.data.Blocks.Block;
import io.gradus.nn.model.PretrainedModel;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Blocks in numbered batches, from 0 without end. A batch is a function of its number alone, so a run resumes with nothing but a
 * number, and threads may request batches in any order.
 *
 * <p>Shuffled, for training: each epoch has its own order. The epochs are concatenated and cut into equal batches, so that a batch
 * may contain the end of one epoch and the beginning of the next. Every batch is full, and every block is seen once per epoch.
 * With several sources ({@link Mixture}), each has its own epochs.
 *
 * <p>In order, for evaluation: the last batch of an epoch may be smaller.
 *
 * {@snippet :
 * Tokenizer tokenizer = Tokenizer.load(Path.of("my-llama"));
 * Blocks blocks = Blocks.pack(Documents.read(Path.of("corpus.txt")), tokenizer, 512);
 * Batches batches = new Batches(blocks, 4, 42, true);
 * for (long step = 0; step < 300; step++) {
 *     Batches.Batch batch = batches.batch(step, Device.cpu());
 *     System.out.println(batch.ids().shape()); // [4, 512]
 * }
 * }
 */
public final class Batches implements BatchSource {
    /** The Philox stream of the shuffle, one less for each further source; layers use streams from 0 up. */
    private static final int PLACE = -1;

    private final Mixture mixture;
    private final Mixture.Places places;
    private final int batchSize;
    private final long seed;
    private final boolean shuffle;
    private final AtomicReferenceArray<Order> latest; // cached per source

    private record Order(long epoch, int[] blocks) {}

    /**
     * One row of a batch.
     *
     * @param source the index of the source in the mixture
     * @param index the index of the block in the source
     */
    public record Row(int source, int index) {}

    /**
     * The input and targets of one forward pass.
     *
     * @param ids I32 {@code [B, T]}
     * @param targets what the loss compares with the result of the model. Of a language model, I32 {@code [B * T]}: the next token of
     *     each, or {@code CrossEntropy.IGNORE_INDEX}; of a classifier, I32 {@code [B]}, or F32 {@code [B, labels]} for several labels
     *     or numbers
     * @param counted the number of targets that are not ignored
     * @param positions I32 {@code [B, T]}, each token's position in its document; null if every row is one document
     * @param documentStarts I32 {@code [B, T]}, the position in the row at which the token's document begins; null if every row is one
     *     document
     * @param attentionMask I32 {@code [B, T]}, 0 for padding; null if there is none
     * @param tokenTypeIds I32 {@code [B, T]}, 1 for the second text of a pair; null if there are no pairs
     */
    public record Batch(
            Tensor ids,
            Tensor targets,
            long counted,
            @Nullable Tensor positions,
            @Nullable Tensor documentStarts,
            @Nullable Tensor attentionMask,
            @Nullable Tensor tokenTypeIds) {

        /** Rows without padding. */
        public Batch(
                Tensor ids, Tensor targets, long counted, @Nullable Tensor positions, @Nullable Tensor documentStarts) {
            this(ids, targets, counted, positions, documentStarts, null, null);
        }

        /** Rows of one document each. */
        public Batch(Tensor ids, Tensor targets, long counted) {
            this(ids, targets, counted, null, null);
        }

        /** The input of the model; documents that share a row do not attend to each other. */
        public PretrainedModel.Input input() {
            return positions == null
                    ? PretrainedModel.Input.padded(ids, attentionMask, tokenTypeIds)
                    : new PretrainedModel.Input(ids, positions, attentionMask, null, documentStarts, tokenTypeIds);
        }
    }

    /**
     * Batches of one source.
     *
     * @param batchSize B, at least 1
     * @param seed of the shuffle
     */
    public Batches(Blocks blocks, int batchSize, long seed, boolean shuffle) {
        this(Mixture.of(blocks), batchSize, seed, shuffle);
    }

    /**
     * Batches of one or several sources.
     *
     * @param batchSize B, at least 1
     * @param seed of the shuffle
     * @param shuffle must be true if there are several sources
     */
    public Batches(Mixture mixture, int batchSize, long seed, boolean shuffle) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch_size is " + batchSize + "; it must be at least 1");
        }
        if (!shuffle && mixture.sources().size() > 1) {
            throw new IllegalArgumentException("batches: several sources have no common order; set shuffle to true");
        }
        this.mixture = mixture;
        this.places = mixture.places(seed);
        this.latest = new AtomicReferenceArray<>(mixture.sources().size());
        this.batchSize = batchSize;
        this.seed = seed;
        this.shuffle = shuffle;
    }

    @Override
    public int length() {
        return mixture.length();
    }

    @Override
    public long tokensPerEpoch() {
        return mixture.tokens();
    }

    /** The number of batches in which every block of one source is seen once; with several sources, {@link
     * Mixture#rowsPerEpoch} rows. */
    @Override
    public long batchesPerEpoch() {
        return Math.ceilDiv(mixture.rowsPerEpoch(), batchSize);
    }

    /** The sources of the batches. */
    public Mixture mixture() {
        return mixture;
    }

    /** Rows of a batch, B. */
    @Override
    public int batchSize() {
        return batchSize;
    }

    /**
     * Makes a batch.
     *
     * @param index from 0
     */
    @Override
    public Batch batch(long index, Device device) {
        List<Block> blocks = rows(index).stream().map(this::block).toList();
        int length = mixture.length();
        int[] ids = new int[Math.multiplyExact(blocks.size(), length)];
        int[] targets = new int[ids.length];
        int[] documentStarts = new int[ids.length];
        long counted = 0;
        for (int row = 0; row < blocks.size(); row++) {
            Block block = blocks.get(row);
            System.arraycopy(block.ids(), 0, ids, row * length, length);
            System.arraycopy(block.targets(), 0, targets, row * length, length);
            System.arraycopy(block.documentStarts(), 0, documentStarts, row * length, length);
            counted += block.counted();
        }
        Tensor idTensor = Tensor.of(device, ids, blocks.size(), length);
        Tensor targetTensor = Tensor.of(device, targets, targets.length);
        if (blocks.stream().allMatch(block -> block.documents().length == 1)) {
            return new Batch(idTensor, targetTensor, counted);
        }
        int[] positions = new int[ids.length];
        Arrays.setAll(positions, i -> i % length - documentStarts[i]);
        return new Batch(
                idTensor,
                targetTensor,
                counted,
                Tensor.of(device, positions, blocks.size(), length),
                Tensor.of(device, documentStarts, blocks.size(), length));
    }

    /** The block of a row. */
    public Block block(Row row) {
        return mixture.sources().get(row.source).blocks().get(row.index);
    }

    /** The rows of a batch, as indices of sources and blocks. */
    public List<Row> rows(long index) {
        if (index < 0) {
            throw new IllegalArgumentException("batch " + index + " was asked for; they count from 0");
        }
        if (!shuffle) {
            int size = mixture.sources().getFirst().blocks().size();
            int from = Math.toIntExact(index % batchesPerEpoch() * batchSize);
            return IntStream.range(from, (int) Math.min(size, (long) from + batchSize))
                    .mapToObj(block -> new Row(0, block))
                    .toList();
        }
        long first = Math.multiplyExact(index, (long) batchSize);
        return LongStream.range(first, first + batchSize)
                .mapToObj(places::of)
                .map(this::row)
                .toList();
    }

    private Row row(Mixture.Place place) {
        int size = mixture.sources().get(place.source()).blocks().size();
        int[] order = order(place.source(), size, place.number() / size);
        return new Row(place.source(), order[(int) (place.number() % size)]);
    }

    private int[] order(int source, int size, long epoch) {
        Order order = latest.get(source);
        if (order == null || order.epoch != epoch) {
            order = new Order(epoch, permutation(size, new Philox.Key(seed, Math.toIntExact(epoch), PLACE - source)));
            latest.set(source, order);
        }
        return order.blocks;
    }

    /** A uniformly random permutation (Fisher &amp; Yates, in Durstenfeld's form). */
    private static int[] permutation(int size, Philox.Key key) {
        int[] order = IntStream.range(0, size).toArray();
        for (int i = size - 1; i > 0; i--) {
            int j = Philox.below(key, i, i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }
}

package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.Blocks.Block;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.PretrainedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
 * <p>Contiguous, for networks with a state: the blocks of a stream are divided into B runs of equal length, and row r of batch i is
 * the i-th block of run r, so that each row continues the same row of the batch before, as in fastai's {@code LMDataLoader}. Blocks
 * that are left over are not read. The batches must then be requested in order, and have a {@link #state}. Their lengths may be
 * random ({@link #ofRandomLengths}).
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
    private final boolean shuffle;
    private final @Nullable StreamState stream; // of contiguous batches
    private final @Nullable RandomLengths lengths;
    private final List<EpochOrder> orders; // of the sources

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
     * @param cache the state from which a recurrent network continues, and in which it keeps the one after the batch; or null
     * @param textOfRow I32 {@code [B]}, for each row the index of the target of the text of which it is a window, in ascending order;
     *     null if each row is a text
     */
    public record Batch(
            Tensor ids,
            Tensor targets,
            long counted,
            @Nullable Tensor positions,
            @Nullable Tensor documentStarts,
            @Nullable Tensor attentionMask,
            @Nullable Tensor tokenTypeIds,
            @Nullable KeyValueCache cache,
            @Nullable Tensor textOfRow) {

        /** Rows of one text each that do not continue others. */
        public Batch(
                Tensor ids,
                Tensor targets,
                long counted,
                @Nullable Tensor positions,
                @Nullable Tensor documentStarts,
                @Nullable Tensor attentionMask,
                @Nullable Tensor tokenTypeIds) {
            this(ids, targets, counted, positions, documentStarts, attentionMask, tokenTypeIds, null, null);
        }

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
            Tensor places = positions != null
                    ? positions
                    : PretrainedModel.Input.of(ids).positions();
            return new PretrainedModel.Input(ids, places, attentionMask, cache, documentStarts, tokenTypeIds);
        }

        /** The same batch for a recurrent network, which continues from the state in a cache. */
        public Batch continuing(KeyValueCache state) {
            return new Batch(
                    ids, targets, counted, positions, documentStarts, attentionMask, tokenTypeIds, state, textOfRow);
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
        this(mixture, batchSize, seed, shuffle, null, null);
    }

    /**
     * Contiguous batches of a stream.
     *
     * @param batchSize B, at least 1
     * @param layers of the network, each of which has a state
     * @throws IllegalArgumentException if there are fewer blocks than rows
     */
    public static Batches contiguous(Blocks blocks, int batchSize, int layers) {
        requireRows(blocks, batchSize);
        return new Batches(Mixture.of(blocks), batchSize, 0, false, new StreamState(layers), null);
    }

    /**
     * Contiguous batches of a stream, with random lengths of at most {@link #length()} tokens, usually nearly as many (Merity et al.
     * 2018, section 5). The learning rate of a batch is in proportion to its length ({@link #rateFactor}). Epochs have slightly
     * different numbers of batches.
     *
     * @param batchSize B, at least 1
     * @param layers of the network, each of which has a state
     * @param seed of the lengths
     * @throws IllegalArgumentException if there are fewer blocks than rows
     */
    public static Batches ofRandomLengths(Blocks blocks, int batchSize, int layers, long seed) {
        requireRows(blocks, batchSize);
        long rowLength = (long) (blocks.size() / batchSize) * blocks.length();
        return new Batches(
                Mixture.of(blocks),
                batchSize,
                0,
                false,
                new StreamState(layers),
                new RandomLengths(rowLength, blocks.length(), seed));
    }

    private static void requireRows(Blocks blocks, int batchSize) {
        if (blocks.size() < batchSize) {
            throw new IllegalArgumentException("the text has " + blocks.size() + " blocks of " + blocks.length()
                    + " tokens, too few for " + batchSize
                    + " contiguous rows; use a smaller batch_size or data.max_seq_len, or more text");
        }
    }

    private Batches(
            Mixture mixture,
            int batchSize,
            long seed,
            boolean shuffle,
            @Nullable StreamState stream,
            @Nullable RandomLengths lengths) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch_size is " + batchSize + "; it must be at least 1");
        }
        if (!shuffle && mixture.sources().size() > 1) {
            throw new IllegalArgumentException("batches: several sources have no common order; set shuffle to true");
        }
        this.mixture = mixture;
        this.places = mixture.places(seed);
        this.orders = IntStream.range(0, mixture.sources().size())
                .mapToObj(i -> new EpochOrder(mixture.sources().get(i).blocks().size(), seed, PLACE - i))
                .toList();
        this.batchSize = batchSize;
        this.shuffle = shuffle;
        this.stream = stream;
        this.lengths = lengths;
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
     * Mixture#rowsPerEpoch} rows; with random lengths, of the first epoch. */
    @Override
    public long batchesPerEpoch() {
        return lengths != null ? lengths.first() : blocksPerEpoch();
    }

    /** The number of batches in an epoch, if each has one block in each row. */
    private long blocksPerEpoch() {
        return stream != null ? mixture.rowsPerEpoch() / batchSize : Math.ceilDiv(mixture.rowsPerEpoch(), batchSize);
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
        if (stream != null && lengths != null) {
            RandomLengths.Part part = lengths.part(index);
            return part(part, device).continuing(stream.before(index, part.from() == 0));
        }
        Batch batch = of(rows(index).stream().map(this::block).toList(), mixture.length(), device);
        return stream == null ? batch : batch.continuing(stream.before(index, index % batchesPerEpoch() == 0));
    }

    /** A part of each row, which may begin and end within blocks. */
    private Batch part(RandomLengths.Part part, Device device) {
        int[] ids = new int[Math.multiplyExact(batchSize, part.length())];
        int[] targets = new int[ids.length];
        for (int row = 0; row < batchSize; row++) {
            for (int done = 0; done < part.length(); ) {
                long from = part.from() + done;
                Block block = block(new Row(0, Math.toIntExact(row * blocksPerEpoch() + from / length())));
                int within = (int) (from % length());
                int count = Math.min(length() - within, part.length() - done);
                System.arraycopy(block.ids(), within, ids, row * part.length() + done, count);
                System.arraycopy(block.targets(), within, targets, row * part.length() + done, count);
                done += count;
            }
        }
        return new Batch(
                Tensor.of(device, ids, batchSize, part.length()),
                Tensor.of(device, targets, targets.length),
                Arrays.stream(targets)
                        .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                        .count());
    }

    /** The length of a batch relative to the usual one. */
    @Override
    public double rateFactor(long index) {
        return lengths == null ? 1 : (double) lengths.part(index).length() / length();
    }

    @Override
    public Map<String, Tensor> state() {
        return stream == null ? Map.of() : stream.tensors();
    }

    @Override
    public void load(Map<String, Tensor> state) {
        if (stream != null) {
            stream.load(state, batchSize);
        }
    }

    private static Batch of(List<Block> blocks, int length, Device device) {
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

    /** The rows of a batch, as indices of sources and blocks; with random lengths, the blocks in which the rows begin. */
    public List<Row> rows(long index) {
        if (index < 0) {
            throw new IllegalArgumentException("batch " + index + " was asked for; they count from 0");
        }
        if (stream != null) {
            long run = blocksPerEpoch();
            long block = lengths != null ? lengths.part(index).from() / length() : index % run;
            return LongStream.range(0, batchSize)
                    .mapToObj(row -> new Row(0, Math.toIntExact(row * run + block)))
                    .toList();
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
        return new Row(place.source(), orders.get(place.source()).item(place.number()));
    }
}

package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Text as blocks of equal length T, which is what a model is trained on; {@link Packing} says how documents become blocks.
 * What does not count ({@link TokenizedDocument}), and what stands in padding, has {@link CrossEntropy#IGNORE_INDEX} as its
 * target.
 */
public abstract sealed class Blocks permits StreamBlocks, PackedBlocks {
    static final int[] ONE_DOCUMENT = {0};

    private final int length;

    Blocks(int length) {
        this.length = length;
    }

    /**
     * One row of a batch.
     *
     * @param ids {@code [T]}
     * @param targets {@code [T]}: the token that follows each, or {@link CrossEntropy#IGNORE_INDEX}
     * @param tokens how many of the ids are tokens, from the first; the others are padding
     * @param documents where documents begin that do not see what is before them, rising from 0; padding is one of them
     */
    public record Block(int[] ids, int[] targets, int tokens, int[] documents) {

        /** One document, or text that sees all before it, without padding. */
        public Block(int[] ids, int[] targets) {
            this(ids, targets, ids.length, ONE_DOCUMENT);
        }

        /** How many targets count. */
        public int counted() {
            return (int) Arrays.stream(targets)
                    .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                    .count();
        }

        /** For each place the one where its document begins. */
        int[] documentStarts() {
            int[] first = new int[ids.length];
            for (int start : documents) {
                Arrays.fill(first, start, first.length, start);
            }
            return first;
        }
    }

    /**
     * Tokenises documents and lays them end to end ({@link Packing#STREAM}).
     *
     * @param blockLength T
     * @throws IllegalArgumentException when they do not fill one block, or no token of theirs counts
     */
    public static Blocks pack(List<? extends Document> documents, Tokenizer tokenizer, int blockLength) {
        return pack(documents, tokenizer, blockLength, Packing.STREAM, null);
    }

    /**
     * Tokenises documents and packs them.
     *
     * @param blockLength T
     * @param template how chats are written; needed when there are any
     * @throws IllegalArgumentException when they do not fill one block of a stream, no token of theirs counts, or the
     *     tokeniser lacks a special token of the template
     */
    public static Blocks pack(
            List<? extends Document> documents,
            Tokenizer tokenizer,
            int blockLength,
            Packing packing,
            @Nullable ChatTemplate template) {
        int padding = tokenizer.eos().orElse(0);
        return switch (packing) {
            case STREAM ->
                StreamBlocks.of(
                        documents.stream()
                                .map(document -> TokenizedDocument.of(document, tokenizer, template))
                                .toList(),
                        blockLength,
                        padding);
            case DOCUMENTS -> PackedBlocks.of(documents, tokenizer, blockLength, template);
        };
    }

    /** How many blocks there are, at least one. */
    public abstract int size();

    /** How many tokens a block has, T. */
    public final int length() {
        return length;
    }

    /** One block, from 0. */
    public abstract Block get(int index);

    /** The first blocks only, for a quick evaluation. */
    public abstract Blocks first(int count);

    /** How many tokens these blocks read, without padding. */
    public abstract long tokens();

    /** How many targets count. */
    public abstract long counted();

    /** The largest token id, for comparing with the model's vocabulary before training. */
    public abstract int maxId();

    /** What was lost in packing, a sentence each; often nothing. */
    public List<String> warnings() {
        return List.of();
    }

    static void requireLength(int blockLength) {
        if (blockLength < 1) {
            throw new IllegalArgumentException("max_seq_len is " + blockLength + "; it must be at least 1");
        }
    }

    final void requireCount(int count) {
        if (count < 1 || count > size()) {
            throw new IllegalArgumentException("blocks: the first " + count + " were asked for, of " + size());
        }
    }

    static IllegalArgumentException allMasked(String what) {
        return new IllegalArgumentException(what + " counts towards the loss, every label is masked: nothing would be"
                + " learnt; give text, prompts with completions or chats with answers");
    }
}

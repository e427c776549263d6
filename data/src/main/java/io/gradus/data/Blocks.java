package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Text in blocks of equal length T, the rows of batches. {@link Packing} decides how documents become blocks. Tokens that are not
 * trained on ({@link TokenizedDocument}) and padding have {@link CrossEntropy#IGNORE_INDEX} as their target.
 */
public abstract sealed class Blocks permits StreamBlocks, PackedBlocks {
    static final int[] ONE_DOCUMENT = {0};

    private final int length;
    private Set<Integer> answerEnds = Set.of();
    private List<String> answerWarnings = List.of();

    Blocks(int length) {
        this.length = length;
    }

    /**
     * One row of a batch.
     *
     * @param ids {@code [T]}
     * @param targets {@code [T]}: the next token of each, or {@link CrossEntropy#IGNORE_INDEX}
     * @param tokens the number of tokens; the ids after them are padding
     * @param documents the ascending positions at which documents begin that do not attend to earlier ones; padding is one
     */
    public record Block(int[] ids, int[] targets, int tokens, int[] documents) {

        /** One document without padding. */
        public Block(int[] ids, int[] targets) {
            this(ids, targets, ids.length, ONE_DOCUMENT);
        }

        /** The number of targets that are not ignored. */
        public int counted() {
            return (int) Arrays.stream(targets)
                    .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                    .count();
        }

        /** For each position, the one at which its document begins. */
        int[] documentStarts() {
            int[] first = new int[ids.length];
            for (int start : documents) {
                Arrays.fill(first, start, first.length, start);
            }
            return first;
        }
    }

    /**
     * Tokenizes documents and concatenates them ({@link Packing#STREAM}).
     *
     * @param blockLength T
     * @throws IllegalArgumentException if they do not fill one block, or have no target
     * @throws UncheckedIOException as the next method
     */
    public static Blocks pack(Collection<? extends Document> documents, Tokenizer tokenizer, int blockLength) {
        return pack(documents, tokenizer, blockLength, Packing.STREAM, null);
    }

    /** {@link #pack(Collection, Tokenizer, int, Packing, ChatTemplate, DoubleConsumer)} without progress. */
    public static Blocks pack(
            Collection<? extends Document> documents,
            Tokenizer tokenizer,
            int blockLength,
            Packing packing,
            @Nullable ChatTemplate template) {
        return pack(documents, tokenizer, blockLength, packing, template, _ -> {});
    }

    /**
     * Tokenizes documents and packs them. Many tokens are kept in a temporary file, 4 bytes each.
     *
     * @param blockLength T
     * @param template how chats are written; required if there are any
     * @param progress receives how much of the documents is tokenized, from 0 to 1, again and again
     * @throws IllegalArgumentException if they do not fill one block of a stream, have no target, or need a special token that
     *     the tokenizer does not have
     * @throws UncheckedIOException if a file of the documents cannot be read, or the temporary file cannot be written
     */
    public static Blocks pack(
            Collection<? extends Document> documents,
            Tokenizer tokenizer,
            int blockLength,
            Packing packing,
            @Nullable ChatTemplate template,
            DoubleConsumer progress) {
        if (blockLength < 1) {
            throw new IllegalArgumentException("max_seq_len is " + blockLength + "; it must be at least 1");
        }
        try {
            int padding = tokenizer.eos().orElse(0);
            var tokens = new TokenStore.Builder();
            var ends = new AnswerEnds(tokenizer);
            Blocks blocks = switch (packing) {
                case STREAM, CONTIGUOUS -> {
                    new Tokenization(tokenizer, template, ends, tokens::add, progress).run(documents);
                    yield StreamBlocks.of(tokens.build(), blockLength, padding);
                }
                case DOCUMENTS -> {
                    var pieces = new Pieces(tokens, blockLength);
                    new Tokenization(tokenizer, template, ends, pieces, progress).run(documents);
                    yield PackedBlocks.of(tokens.build(), pieces, blockLength, padding);
                }
            };
            blocks.answerEnds = ends.ids();
            blocks.answerWarnings = ends.warnings();
            return blocks;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The number of blocks, at least one. */
    public abstract int size();

    /** The number of tokens per block, T. */
    public final int length() {
        return length;
    }

    /** One block, from 0. */
    public abstract Block get(int index);

    /** Only the first blocks, for a quick evaluation. */
    public abstract Blocks first(int count);

    /** The number of tokens without padding. */
    public abstract long tokens();

    /** The number of targets that are not ignored. */
    public abstract long counted();

    /** The largest token id. */
    public abstract int maxId();

    /** The tokens that end the answers of chats, at which generation must stop; empty if there is no chat. */
    public final Set<Integer> answerEnds() {
        return answerEnds;
    }

    /** A sentence for each kind of loss in packing, and if nothing marks the end of answers; often empty. */
    public final List<String> warnings() {
        List<String> warnings = new ArrayList<>(packingWarnings());
        warnings.addAll(answerWarnings);
        return warnings;
    }

    /** A sentence for each kind of loss in packing. */
    List<String> packingWarnings() {
        return List.of();
    }

    final void requireCount(int count) {
        if (count < 1 || count > size()) {
            throw new IllegalArgumentException("blocks: the first " + count + " of " + size() + " were requested");
        }
    }

    static IllegalArgumentException allMasked(String what) {
        return new IllegalArgumentException(what + " is a target, so there is nothing to learn from; provide text,"
                + " prompts with completions, or chats with answers");
    }
}

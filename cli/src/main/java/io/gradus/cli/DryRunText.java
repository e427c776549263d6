package io.gradus.cli;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.cli.print.Paragraph;
import io.gradus.cli.print.Quantities;
import io.gradus.data.Batches;
import io.gradus.data.Blocks;
import io.gradus.data.Blocks.Block;
import io.gradus.data.Mixture;
import io.gradus.data.PaddedBatches;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.train.DryRun;
import io.gradus.train.memory.Bytes;
import io.gradus.train.memory.MemoryPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Shows the data of a run without training: the sources, then the first batches as the model reads them. Each document is
 * printed as text, with the tokens that do not count toward the loss marked and special tokens spelled out.
 */
final class DryRunText {
    private static final String DIM = "\u001B[2m";
    private static final String USUAL = "\u001B[22m";
    private static final String OPEN = "⟦";
    private static final String CLOSE = "⟧";
    private static final String MARGIN = "    │ ";

    private final Tokenizer tokenizer;
    private final Batches batches;
    private final boolean ansi;
    private final int width;

    /**
     * Creates a text about the batches of a run.
     *
     * @param ansi whether to print tokens that do not count as dim text, for a terminal; otherwise in brackets ⟦ ⟧
     * @param width columns of the terminal
     */
    DryRunText(Tokenizer tokenizer, Batches batches, boolean ansi, int width) {
        this.tokenizer = tokenizer;
        this.batches = batches;
        this.ansi = ansi;
        this.width = width;
    }

    /**
     * Returns the text of a dry run, with estimates of its memory and time.
     *
     * @param count number of batches to show, starting with the first
     */
    static String of(DryRun run, int count, boolean ansi, int width) {
        List<String> estimates = Stream.concat(
                        run.chatTemplate().map(template -> "chat template: " + template).stream(),
                        Stream.of("memory: " + memory(run.memory()), "time: " + time(run)))
                .toList();
        return switch (run.batches()) {
            case Batches blocks -> new DryRunText(run.tokenizer(), blocks, ansi, width).report(count, estimates);
            case PaddedBatches examples -> examples(run, examples, estimates, width);
            default ->
                throw new IllegalStateException(
                        "dry run: batches of " + run.batches().getClass());
        };
    }

    /** Returns the text about the examples of a classifier: the first batch as the model reads it. */
    private static String examples(DryRun run, PaddedBatches batches, List<String> estimates, int width) {
        List<String> lines = new ArrayList<>();
        lines.add("tokenizer: " + run.tokenizer());
        lines.addAll(run.task());
        lines.add(String.format(
                Locale.ROOT,
                "an epoch: %,d examples of %,d tokens, %,d batches of %,d, padded to the longest of each",
                batches.size(),
                batches.tokensPerEpoch(),
                batches.batchesPerEpoch(),
                batches.batchSize()));
        lines.add("batch 1");
        for (int row : batches.rows(0)) {
            batches.windows(row)
                    .forEach(window -> lines.add(MARGIN + window.ids().length + " tokens: "
                            + visible(run.tokenizer().spell(window.ids())).replace('\n', ' ')));
        }
        lines.add("");
        lines.addAll(estimates);
        lines.add("");
        lines.add("Nothing was trained and nothing was written.");
        StringBuilder out = new StringBuilder();
        lines.forEach(line ->
                Paragraph.wrapped(line, width).forEach(part -> out.append(part).append('\n')));
        return out.toString();
    }

    private static String memory(MemoryPlan plan) {
        return Bytes.format(plan.processBytes()) + " at the peak, " + Bytes.format(plan.peakBytes())
                + " of which are tensors";
    }

    private static String time(DryRun run) {
        return run.failure() != null
                ? "unknown, because the first step fails: " + run.failure()
                : "about " + Quantities.duration(run.secondsPerStep() * run.steps()) + " for "
                        + Quantities.counted(run.steps(), "step")
                        + " without evaluation; less after the JVM has compiled everything";
    }

    /**
     * Returns the complete text.
     *
     * @param count number of batches to show, starting with the first
     * @param estimates lines about memory and time, printed last
     */
    String report(int count, List<String> estimates) {
        if (count < 0) {
            throw new IllegalArgumentException(
                    "dry run: " + count + " batches requested; the number must not be negative");
        }
        StringBuilder out = new StringBuilder();
        sources(out);
        for (int i = 0; i < count; i++) {
            batch(i, out);
        }
        if (!estimates.isEmpty()) {
            line(out, "");
            estimates.forEach(estimate -> line(out, "%s", estimate));
        }
        line(out, "");
        line(out, "Nothing was trained and nothing was written.");
        return out.toString();
    }

    // ---- the sources ----

    private void sources(StringBuilder out) {
        Mixture mixture = batches.mixture();
        line(out, "tokenizer: %s", tokenizer);
        for (int j = 0; j < mixture.sources().size(); j++) {
            Mixture.Source source = mixture.sources().get(j);
            Blocks blocks = source.blocks();
            line(
                    out,
                    "%s: %.1f %% of the rows and %.1f %% of the loss; %,d rows of %,d, %,d tokens, %s, %s",
                    source.name(),
                    100 * mixture.share(j),
                    100 * mixture.shareOfLoss(j),
                    blocks.size(),
                    blocks.length(),
                    blocks.tokens(),
                    counting(blocks.counted(), blocks.tokens()),
                    padding(
                            (long) blocks.size() * blocks.length() - blocks.tokens(),
                            (long) blocks.size() * blocks.length()));
            blocks.warnings().forEach(warning -> line(out, "  warning: %s", warning));
        }
        line(
                out,
                "an epoch: %,d rows, %,d batches of %,d",
                mixture.rowsPerEpoch(),
                batches.batchesPerEpoch(),
                batches.batchSize());
    }

    private static String counting(long counted, long tokens) {
        return String.format(
                Locale.ROOT,
                "%,d count (%.1f %%), %,d masked (%.1f %%)",
                counted,
                100.0 * counted / tokens,
                tokens - counted,
                100.0 * (tokens - counted) / tokens);
    }

    private static String padding(long padding, long places) {
        return String.format(Locale.ROOT, "padding %,d (%.1f %% of the positions)", padding, 100.0 * padding / places);
    }

    // ---- a batch ----

    private void batch(int index, StringBuilder out) {
        List<Batches.Row> rows = batches.rows(index);
        List<Block> blocks = rows.stream().map(batches::block).toList();
        long tokens = blocks.stream().mapToLong(Block::tokens).sum();
        long counted = blocks.stream().mapToLong(Block::counted).sum();
        int length = batches.mixture().length();
        long places = (long) rows.size() * length;
        line(out, "");
        line(
                out,
                "batch %d: ids [%d, %d], targets [%d]; %,d tokens, %s, %s",
                index,
                rows.size(),
                length,
                places,
                tokens,
                counting(counted, tokens),
                padding(places - tokens, places));
        for (int r = 0; r < rows.size(); r++) {
            Block block = blocks.get(r);
            int[] documents = documents(block);
            line(
                    out,
                    "  row %d, %s: %d %s, %,d tokens, %,d count",
                    r,
                    batches.mixture().sources().get(rows.get(r).source()).name(),
                    documents.length,
                    documents.length == 1 ? "document" : "packed documents",
                    block.tokens(),
                    block.counted());
            for (int d = 0; d < documents.length; d++) {
                int end = d + 1 < documents.length ? documents[d + 1] : block.tokens();
                document(block, documents[d], end, out);
            }
        }
    }

    /** Returns the positions at which documents start, excluding padding. */
    private static int[] documents(Block block) {
        return Arrays.stream(block.documents())
                .filter(start -> start < block.tokens())
                .toArray();
    }

    /** Appends the tokens from {@code from} (inclusive) to {@code to} (exclusive), and the target of the last one. */
    private void document(Block block, int from, int to, StringBuilder out) {
        boolean predicts = block.targets()[to - 1] != CrossEntropy.IGNORE_INDEX;
        int[] ids = IntStream.concat(
                        Arrays.stream(block.ids(), from, to),
                        predicts ? IntStream.of(block.targets()[to - 1]) : IntStream.empty())
                .toArray();
        StringBuilder text = new StringBuilder();
        String before = "";
        for (int start = 0; start < ids.length; ) {
            boolean counts = counts(block, from, from + start);
            int end = start + 1;
            while (end < ids.length && counts(block, from, from + end) == counts) {
                end++;
            }
            String now = tokenizer.spell(Arrays.copyOf(ids, end));
            String part = visible(now.substring(Math.min(before.length(), now.length())));
            text.append(counts ? part : masked(part));
            before = now;
            start = end;
        }
        out.append(MARGIN).append(text.toString().replace("\n", "\n" + MARGIN)).append('\n');
    }

    /** Returns whether the previous token predicts the token at a position. The first token of a document is input only. */
    private static boolean counts(Block block, int document, int place) {
        return place > document && block.targets()[place - 1] != CrossEntropy.IGNORE_INDEX;
    }

    private String masked(String text) {
        return ansi ? DIM + text + USUAL : OPEN + text + CLOSE;
    }

    /** Replaces control characters, which a terminal would interpret, with their codes. */
    private static String visible(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (Character.isISOControl(c) && c != '\n' && c != '\t') {
                shown.append(String.format(Locale.ROOT, "\\u%04x", c));
            } else {
                shown.appendCodePoint(c);
            }
        });
        return shown.toString();
    }

    private void line(StringBuilder out, String format, Object... values) {
        Paragraph.wrapped(String.format(Locale.ROOT, format, values), width)
                .forEach(line -> out.append(line).append('\n'));
    }
}

package io.gradus.train;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.train.data.Batches;
import io.gradus.train.data.Blocks;
import io.gradus.train.data.Blocks.Block;
import io.gradus.train.data.Mixture;
import io.gradus.train.report.Quantities;
import io.gradus.train.text.Tokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Shows what a run would train on, without training: the sources, then the first batches as the model reads them, each
 * document as text with the part that does not count marked, special tokens spelt out.
 */
public final class DryRun {
    private static final String DIM = "\u001B[2m";
    private static final String USUAL = "\u001B[22m";
    private static final String OPEN = "⟦";
    private static final String CLOSE = "⟧";
    private static final String MARGIN = "    │ ";

    private final Tokenizer tokenizer;
    private final Batches batches;
    private final boolean ansi;

    /**
     * Of the batches that a run would take.
     *
     * @param ansi whether what does not count is printed dim, for a terminal, or in brackets ⟦ ⟧
     */
    public DryRun(Tokenizer tokenizer, Batches batches, boolean ansi) {
        this.tokenizer = tokenizer;
        this.batches = batches;
        this.ansi = ansi;
    }

    /**
     * What a recipe would train on, in what memory and time; for the time a step is made, at a learning rate of 0.
     *
     * @param count how many batches are shown, from the first
     * @throws RecipeException when the recipe does not fit the model, the text or the memory
     */
    public static String of(Recipe recipe, int count, boolean ansi) throws IOException {
        Prepared prepared = Prepared.of(recipe, false);
        TrainingStep training = new TrainingStep(recipe, prepared.model());
        training.begin(prepared::known);
        return new DryRun(prepared.tokenizer(), prepared.batches(), ansi)
                .report(
                        count,
                        List.of(
                                "memory: " + Quantities.bytes(prepared.memory().peakBytes()) + " at the peak",
                                "time: " + time(prepared, training)));
    }

    private static String time(Prepared prepared, TrainingStep training) {
        double seconds = 0;
        try {
            for (int i = 0; i < 2; i++) { // the first one also compiles
                long start = System.nanoTime();
                training.step(
                        0,
                        index ->
                                prepared.batches().batch(index, prepared.model().device()),
                        0,
                        _ -> Optional.empty());
                seconds = (System.nanoTime() - start) / 1e9;
            }
        } catch (ArithmeticException e) {
            return "unknown, for the first step fails: " + e.getMessage();
        }
        return "about " + Quantities.duration(seconds * prepared.steps()) + " for "
                + Quantities.counted(prepared.steps(), "step")
                + ", without evaluation; less when the JVM has compiled all";
    }

    /**
     * The whole of it as lines of text.
     *
     * @param count how many batches, from the first
     * @param estimates lines on memory and time, printed last
     */
    public String report(int count, List<String> estimates) {
        if (count < 0) {
            throw new IllegalArgumentException("dry run: " + count + " batches were asked for");
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
        line(out, "tokeniser: %s", tokenizer);
        for (int j = 0; j < mixture.sources().size(); j++) {
            Mixture.Source source = mixture.sources().get(j);
            Blocks blocks = source.blocks();
            line(
                    out,
                    "%s: %.1f %% of the rows and %.1f %% of what counts; %,d rows of %,d, %,d tokens, %s, %s",
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
        return String.format(Locale.ROOT, "padding %,d (%.1f %% of the places)", padding, 100.0 * padding / places);
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
                    documents.length == 1 ? "document" : "documents side by side",
                    block.tokens(),
                    block.counted());
            for (int d = 0; d < documents.length; d++) {
                int end = d + 1 < documents.length ? documents[d + 1] : block.tokens();
                document(block, documents[d], end, out);
            }
        }
    }

    /** Where documents begin, without the padding. */
    private static int[] documents(Block block) {
        return Arrays.stream(block.documents())
                .filter(start -> start < block.tokens())
                .toArray();
    }

    /** Tokens from {@code from} to before {@code to}, and the one that the last is to predict. */
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

    /** Whether the token at a place is to be predicted by the one before it; a document's first is only read. */
    private static boolean counts(Block block, int document, int place) {
        return place > document && block.targets()[place - 1] != CrossEntropy.IGNORE_INDEX;
    }

    private String masked(String text) {
        return ansi ? DIM + text + USUAL : OPEN + text + CLOSE;
    }

    /** Text may hold whatever a terminal obeys; that is shown as its code instead. */
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

    private static void line(StringBuilder out, String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}

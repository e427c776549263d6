package io.gradus.train;

import io.gradus.core.Device;
import io.gradus.core.HostStorage;
import io.gradus.core.Tensor;
import io.gradus.parallel.Collectives;
import io.gradus.parallel.CommunicationTime;
import io.gradus.parallel.HostName;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The processes that train one model together, each on batches of its own (data parallelism; Li et al. 2020). In every step, the
 * gradients of all processes are added ({@link GradientSums}), so that all make the same update, each of all weights or of its part
 * of them ({@link ParameterShards}).
 *
 * <p><b>Same bits as one process.</b> N processes with one batch each per step have the bits of one process with
 * {@code gradient_accumulation_steps: N}: the batches have the same numbers, and gradients, losses, and token counts are added in
 * the order of these numbers. With several batches per process, a process first adds those of its own, so results agree to
 * rounding; they are the same in every run.
 */
final class Ranks {
    /** What the first process tells the others when it needs no more help. */
    private static final int END = -1;

    private final @Nullable Collectives communicator;
    private boolean alone;
    private @Nullable Throwable known;
    private boolean leading;

    /** @param communicator null for a single process */
    Ranks(@Nullable Collectives communicator) {
        this.communicator = communicator;
    }

    /** The number of processes. */
    int size() {
        return communicator == null ? 1 : communicator.size();
    }

    /** The number of this process. */
    int rank() {
        return communicator == null ? 0 : communicator.rank();
    }

    /** Whether this process prints and writes. */
    boolean isFirst() {
        return rank() == 0;
    }

    /**
     * The number of a batch among all batches of all steps.
     *
     * @param step from 0
     * @param pass of this process in the step, from 0
     * @param passes per process in a step
     */
    long batch(int step, int pass, int passes) {
        return ((long) step * size() + rank()) * passes + pass;
    }

    /** What the processes do together. */
    Collectives all() {
        return Objects.requireNonNull(communicator);
    }

    /** The bytes that this process has sent by now. */
    long sentBytes() {
        return communicator == null ? 0 : communicator.sentBytes();
    }

    /** What communication has cost this process by now. */
    CommunicationTime communication() {
        return communicator == null ? CommunicationTime.NONE : communicator.time();
    }

    /** What the batches of a step add up to: the loss summed over the targets, and their number. */
    record Totals(double loss, long tokens) {}

    /** Adds up what the processes have computed in a step, in the order of the batches. */
    Totals total(double loss, long tokens) {
        double[] values = gather(loss, tokens);
        double lossSum = 0;
        long tokenSum = 0;
        for (int i = 0; i < values.length; i += 2) {
            lossSum += values[i];
            tokenSum += (long) values[i + 1];
        }
        return new Totals(lossSum, tokenSum);
    }

    /** Whether any process passes true. */
    boolean any(boolean own) {
        return Arrays.stream(gather(own ? 1 : 0)).anyMatch(value -> value != 0);
    }

    /** What one process does without the others. */
    @FunctionalInterface
    interface Alone<T extends @Nullable Object> {
        T run() throws IOException;
    }

    /**
     * Does something on every process without communication, and then compares notes: if it fails on one process, it fails on
     * all, and none waits for ever.
     *
     * @throws OtherRankException if it failed on another process only, or first
     */
    <T extends @Nullable Object> T together(Alone<T> action) throws IOException {
        if (communicator == null) {
            return action.run();
        }
        T result;
        try {
            alone = true;
            result = action.run();
        } catch (IOException | RuntimeException | Error e) {
            alone = false;
            compare(String.valueOf(e instanceof Error ? e : e.getMessage()));
            known = e;
            throw e;
        } finally {
            alone = false;
        }
        compare("");
        return result;
    }

    /** What the other processes do while the first one does something. */
    @FunctionalInterface
    interface Help {
        /** @param what the number that the first process passed to {@link #ask} */
        void with(int what) throws IOException;
    }

    /**
     * Does something on the first process, which may {@link #ask} the others for help meanwhile. If it fails there, it fails on all.
     *
     * @throws OtherRankException on the other processes, if it failed on the first
     */
    void lead(Alone<?> action, Help help) throws IOException {
        if (size() == 1) {
            action.run();
        } else if (isFirst()) {
            try {
                leading = true;
                action.run();
            } catch (IOException | RuntimeException | Error e) {
                leading = false;
                gather(END);
                compare(String.valueOf(e instanceof Error ? e : e.getMessage()));
                known = e;
                throw e;
            }
            leading = false;
            gather(END);
            compare("");
        } else {
            for (int what = asked(); what != END; what = asked()) {
                try {
                    help.with(what);
                } catch (IOException e) {
                    if (!isKnownToAll(e)) {
                        throw e;
                    }
                    // The first process has it too, and ends what it does.
                }
            }
            compare("");
        }
    }

    /** Whether this process is the first one and does something for which it may {@link #ask} the others. */
    boolean isLeading() {
        return leading;
    }

    private int asked() {
        return (int) gather(0)[0];
    }

    /**
     * Calls the other processes, which wait in {@link #lead}; this one must do its part too.
     *
     * @param what any number but −1
     */
    void ask(int what) {
        if (size() > 1) {
            gather(what);
        }
    }

    /** Exchanges problems; none is the empty text. The first process with one keeps its own exception. */
    private void compare(String problem) throws OtherRankException {
        double[] failed = gather(problem.isEmpty() ? 0 : 1);
        for (int rank = 0; rank < failed.length; rank++) {
            if (failed[rank] != 0) {
                String message = broadcast(problem.isEmpty() ? "" : "on " + HostName.get() + ": " + problem, rank);
                if (rank != rank()) {
                    throw new OtherRankException("rank " + rank + " " + message);
                }
                return;
            }
        }
    }

    /** Whether all processes know of a problem, because it occurred in {@link #together}. */
    boolean isKnownToAll(Throwable problem) {
        return problem instanceof OtherRankException || problem == known;
    }

    /**
     * Checks that all processes were given the same.
     *
     * @param lines what they were given
     * @throws RecipeException on the processes whose lines differ from those of the first
     */
    void requireSame(List<String> lines) throws IOException {
        String text = String.join("\n", lines);
        String expected = broadcast(text, 0);
        together(() -> {
            List<String> others = expected.lines().toList();
            for (int i = 0; i < Math.max(lines.size(), others.size()); i++) {
                String own = i < lines.size() ? lines.get(i) : "nothing";
                String first = i < others.size() ? others.get(i) : "nothing";
                if (!own.equals(first)) {
                    throw new RecipeException(
                            "all processes must have the same recipe, model and text, but here there is \"" + own
                                    + "\", and on rank 0 \"" + first + "\"");
                }
            }
            return null;
        });
    }

    /** The number that the first process passes. */
    long first(long own) {
        return (long) gather(own)[0];
    }

    /** The values that the processes pass, one after the other. */
    double[] gather(double... own) {
        if (communicator == null) {
            return own;
        }
        if (alone) {
            throw new IllegalStateException("processes cannot communicate while each works alone");
        }
        return all().gather(own);
    }

    /** The text that one process passes. */
    String broadcast(String own, int root) {
        if (communicator == null) {
            return own;
        }
        byte[] bytes = own.getBytes(StandardCharsets.UTF_8);
        int length = (int) gather(bytes.length)[root];
        Tensor text = Tensor.of(Device.cpu(), rank() == root ? bytes : new byte[length], length);
        communicator.broadcast(text, root);
        String received = new String(HostStorage.of(text).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        text.release();
        return received;
    }

    /** Ends the job after a problem that the other processes cannot know of. */
    void abort(String reason) {
        if (communicator != null && communicator.size() > 1) {
            communicator.abort(reason);
        }
    }
}

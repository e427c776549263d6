package io.gradus.train;

import io.gradus.train.TrainingListener.Progress;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.LongSupplier;

/** Reports the progress of tokenizing a text, in percent, if it takes more than a second. */
final class TokenizingProgress implements DoubleConsumer {
    private static final long SILENCE_NANOS = 1_000_000_000;

    private final String stage;
    private final Consumer<Progress> progress;
    private final LongSupplier clock;
    private final long start;

    /**
     * @param text its name
     * @param clock in nanoseconds
     */
    TokenizingProgress(String text, Consumer<Progress> progress, LongSupplier clock) {
        this.stage = "tokenizing " + text;
        this.progress = progress;
        this.clock = clock;
        this.start = clock.getAsLong();
    }

    /** Reports a part from 0 to 1. */
    @Override
    public void accept(double part) {
        if (clock.getAsLong() - start > SILENCE_NANOS) {
            progress.accept(new Progress(stage, (long) (100 * part), 100));
        }
    }
}

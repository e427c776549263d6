package io.gradus.train;

import io.gradus.train.data.DataFormat;
import io.gradus.train.data.Packing;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the text of a run is read, packed and mixed, beyond where it lies.
 *
 * @param format of all files but the general ones, which are whatever they are
 * @param packing how documents become blocks; null: examples whole, text as a stream
 * @param sources several files or folders to train on instead of one; often none
 * @param mix what part of the rows is general text, from 0 to below 1
 * @param mixText general text to mix in; null: a part of that which is evaluated is held back for it
 */
record DataOptions(
        DataFormat format,
        @Nullable Packing packing,
        List<Source> sources,
        double mix,
        @Nullable Path mixText) {

    /** Text as it is, end to end, from one source. */
    static final DataOptions NONE = new DataOptions(DataFormat.AUTO, Packing.STREAM, List.of(), 0, null);

    DataOptions {
        sources = List.copyOf(sources);
        if (!(mix >= 0 && mix < 1)) {
            throw new RecipeException("data.mix is " + mix + "; it must be a part of the rows, from 0 to below 1");
        }
        if (mixText != null && mix == 0) {
            throw new RecipeException("data.mix_text names text to mix in, and data.mix is 0; set it to 0.05, say");
        }
        long weighted = sources.stream().filter(source -> source.weight != null).count();
        if (weighted != 0 && weighted != sources.size()) {
            throw new RecipeException("data.sources: give a weight to each of the " + sources.size()
                    + " or to none, which makes each as heavy as it is long; " + weighted + " have one");
        }
    }

    /**
     * One of several sources.
     *
     * @param path a file or a folder
     * @param weight its part of the rows, relative to the others'; null: each source as heavy as it is long
     */
    record Source(Path path, @Nullable Double weight) {
        Source {
            if (weight != null && !(weight > 0 && Double.isFinite(weight))) {
                throw new RecipeException(
                        "data.sources: the weight of " + path + " is " + weight + "; it must be above 0");
            }
        }
    }
}

package io.gradus.data.serve;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Texts in batches of like lengths, so that few tokens are padding. */
final class LengthBatches {
    private static final int BATCH = 16;

    private LengthBatches() {}

    /**
     * Applies a function to batches of texts.
     *
     * @param length the number of tokens of a text
     * @param function returns a result for each text of a batch
     * @return the results in the order of the texts
     */
    static <T, R> List<R> map(List<T> texts, ToIntFunction<T> length, Function<List<T>, List<R>> function) {
        List<Integer> byLength = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> length.applyAsInt(texts.get(i))))
                .toList();
        List<R> made = new ArrayList<>();
        for (int from = 0; from < byLength.size(); from += BATCH) {
            List<Integer> batch = byLength.subList(from, Math.min(byLength.size(), from + BATCH));
            made.addAll(function.apply(batch.stream().map(texts::get).toList()));
        }
        int[] places = new int[byLength.size()];
        for (int i = 0; i < places.length; i++) {
            places[byLength.get(i)] = i;
        }
        return IntStream.of(places).mapToObj(made::get).toList();
    }
}

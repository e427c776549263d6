package io.gradus.cli;

import io.gradus.train.TrainingListener;

/**
 * Collects garbage before the first step. What reading the text and the tokenizer left behind has grown the heap, and training,
 * whose objects live shortly, would not collect it until the end. The launcher's flags then let the heap shrink.
 */
final class HeapShrinker implements TrainingListener {

    @Override
    public void started(Plan plan) {
        System.gc();
    }
}

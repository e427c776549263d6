package io.gradus.cli;

import io.gradus.cli.report.RunReport;
import io.gradus.corpora.BuiltInModel;
import io.gradus.corpora.Corpus;
import io.gradus.data.Document;
import io.gradus.train.FineTuning;
import io.gradus.train.Texts;
import io.gradus.train.TrainingListener;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/** Supplies the built-in Llama and the built-in text to recipes that name no model. */
final class BuiltIn {
    /** Trains on 30% of the built-in text, which shows the effect of fine-tuning and takes about two minutes. */
    private static final String EPOCHS = "epochs=0.3";

    private BuiltIn() {}

    /** Returns the run of a recipe, which writes a report when it finishes. */
    static FineTuning.Builder fineTuning(Recipe recipe, TrainingListener... listeners) {
        FineTuning.Builder run = FineTuning.builder(withFullPrecision(withEpochs(recipe)))
                .listeners(new HeapShrinker(), new RunReport())
                .listeners(listeners);
        if (recipe.model().path() == null) {
            try {
                run.model(BuiltInModel.folder()).texts(new BuiltInTexts());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return run;
    }

    /** The built-in model is stored in BF16 only to be small. */
    private static Recipe withFullPrecision(Recipe recipe) {
        return recipe.model().path() == null && recipe.saveDtype() == Recipe.SaveDtype.KEEP
                ? recipe.with("save_dtype=f32")
                : recipe;
    }

    private static Recipe withEpochs(Recipe recipe) {
        boolean defaults = recipe.model().path() == null
                && recipe.data().trained().isEmpty()
                && recipe.steps() == null
                && recipe.epochs() == null;
        return defaults ? recipe.with(EPOCHS) : recipe;
    }

    /** The built-in texts. The model was pre-trained on the prose and has never seen the code. */
    private record BuiltInTexts() implements Texts {
        @Override
        public Optional<List<Document>> training() {
            return documents(Corpus.CODE.training());
        }

        @Override
        public Optional<List<Document>> heldOut() {
            return documents(Corpus.CODE.heldOut());
        }

        @Override
        public Optional<List<Document>> general() {
            return documents(Corpus.PROSE.heldOut());
        }

        @Override
        public Optional<List<Document>> known() {
            return documents(Corpus.PROSE.training());
        }

        private static Optional<List<Document>> documents(List<String> texts) {
            return Optional.of(texts.stream().<Document>map(Document.Text::new).toList());
        }
    }
}

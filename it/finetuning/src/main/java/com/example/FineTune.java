package com.example;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.data.Batches.Batch;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.StoppedException;
import io.gradus.train.TrainingListener;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The network, the loss and the optimizer of this program under a recipe: in one run, and in one that is stopped and resumed. */
public final class FineTune {
    private FineTune() {}

    /** @param args the folder to write into */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        Path text = folder.resolve("text.txt");
        Files.createDirectories(folder);
        Files.writeString(text, "the cat sat on the mat, and the dog sat on the log. ".repeat(100));
        Path start = folder.resolve("start");
        Tokenizer tokenizer = new ByteTokenizer();
        tokenizer.save(start);
        new BigramConfig(tokenizer.vocabSize(), 32, 2, 32)
                .build(WeightSource.random(Device.cpu(), 1))
                .save(start);

        RunResult whole = run(start, text, folder.resolve("whole"), false).run();
        System.out.println("family "
                + LanguageModel.load(whole.output(), Device.cpu()).getClass().getName());
        System.out.println("before " + whole.before().get("held_out"));
        System.out.println("after " + whole.after().get("held_out"));

        Path output = folder.resolve("resumed");
        StopAfter stop = new StopAfter(10);
        try {
            stop.run = run(start, text, output, false, stop);
            stop.run.run();
        } catch (StoppedException e) {
            System.out.println("stopped " + stop.step);
        }
        run(start, text, output, true).run();
    }

    private static FineTuning run(Path model, Path text, Path output, boolean resume, TrainingListener... listeners) {
        Recipe recipe = Recipe.builder()
                .model(model)
                .train(text)
                .maxSeqLen(32)
                .output(output)
                .steps(30)
                .batchSize(4)
                .learningRate(1e-2)
                .loadBestModelAtEnd(true)
                .resume(resume)
                .sampleMaxTokens(8)
                .build();
        return FineTuning.builder(recipe)
                .loss(FineTune::loss)
                .optimizer(Adamax::new)
                .listeners(listeners)
                .build();
    }

    /** {@link ZLoss}, as a sum over the tokens that count. */
    private static Variable loss(PretrainedModel model, Variable hiddenStates, Batch batch) {
        Variable logits = model.logits(hiddenStates);
        Variable logZ = logits.subtract(logits.logSoftmax(-1)).mean(2, false);
        return logits.crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM))
                .add(logZ.multiply(logZ).sum().multiply(1e-4));
    }

    /** Stops a run as Ctrl-C would. */
    private static final class StopAfter implements TrainingListener {
        private final int step;
        private FineTuning run;

        StopAfter(int step) {
            this.step = step;
        }

        @Override
        public void stepped(Step made) {
            if (made.step() == step) {
                run.stop();
            }
        }
    }
}

package io.gradus.examples;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.corpora.BuiltInModel;
import io.gradus.corpora.Corpus;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.data.Document;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.optim.AdamW;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Schedule;
import io.gradus.train.Evaluator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Full fine-tuning with the library alone, without a recipe. The built-in Llama, which was pre-trained on the documentation of
 * Java libraries, learns to write Java.
 *
 * <p>{@code ./gradus example FineTuneLlama [STEPS [OUTPUT]]}
 */
public final class FineTuneLlama {
    private static final int BLOCK_LENGTH = 128;
    private static final int BATCH_SIZE = 8;
    private static final double LEARNING_RATE = 1e-3;

    private FineTuneLlama() {}

    public static void main(String[] args) throws IOException {
        int steps = args.length > 0 ? Integer.parseInt(args[0]) : 100;

        // A pre-trained model and its tokenizer. Any Hugging Face folder works: ModelFolder.open(path).
        ModelFolder folder = ModelFolder.open(BuiltInModel.folder());
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        LanguageModel model = folder.load(Device.cpu());

        // Pack the text into blocks of tokens. The seed determines the order of the batches.
        Blocks training = Blocks.pack(documents(Corpus.CODE.training()), tokenizer, BLOCK_LENGTH);
        Blocks heldOut = Blocks.pack(documents(Corpus.CODE.heldOut()), tokenizer, BLOCK_LENGTH);
        Batches batches = new Batches(training, BATCH_SIZE, 42, true);

        AdamW optimizer = new AdamW(ParameterGroups.withWeightDecay(model.parameters(), 0.01), LEARNING_RATE);
        Schedule schedule = Schedule.cosine(steps / 10, steps, 0.1);
        GradientClipping clipping = new GradientClipping(1.0);

        report("before", model, tokenizer, heldOut);
        for (int step = 0; step < steps; step++) {
            try (Scope _ = Scope.open("step")) {
                Batch batch = batches.batch(step, model.device());
                optimizer.zeroGrad();
                Variable loss = model.forward(Input.of(batch.ids())).crossEntropy(batch.targets());
                loss.backward();
                double norm = GradientClipping.norm(model.parameters());
                optimizer.setLearningRate(schedule, step);
                optimizer.step(clipping.factor(norm));
                if (step % Math.max(1, steps / 10) == 0) {
                    System.out.printf(
                            Locale.ROOT, "step %4d  loss %.4f  gradient norm %.3f%n", step, loss.item(), norm);
                }
            }
        }
        report("after", model, tokenizer, heldOut);

        if (args.length > 1) {
            tokenizer.save(Path.of(args[1]));
            folder.save(model, Path.of(args[1]));
            System.out.println("saved " + args[1]);
        }
    }

    private static List<Document> documents(List<String> texts) {
        return texts.stream().<Document>map(Document.Text::new).toList();
    }

    private static void report(String when, LanguageModel model, Tokenizer tokenizer, Blocks heldOut) {
        double loss = Evaluator.loss(model, heldOut, 32, BATCH_SIZE);
        int[] prompt = Prompts.encode(tokenizer, "public ");
        int[] written = new TextGeneration(new Sampling(0.5, 0, 1, 1), 120, Prompts.stops(tokenizer), true)
                .generate(model, prompt, id -> {})
                .ids();
        System.out.printf(Locale.ROOT, "%n%s: held-out loss %.4f%n", when, loss);
        System.out.println("public " + Prompts.continuation(tokenizer, prompt, written));
        System.out.println();
    }
}

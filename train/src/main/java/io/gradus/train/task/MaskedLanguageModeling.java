package io.gradus.train.task;

import static io.gradus.train.task.TaskBatches.empty;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.MaskedBatches;
import io.gradus.data.PaddedBatches;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Trains an encoder to predict hidden tokens of texts ({@link MaskedBatches}), as it was pre-trained: to adapt it to a field before it
 * becomes a classifier (Gururangan et al. 2020). A text has one row with the special tokens of the model; a longer one has several.
 */
public final class MaskedLanguageModeling implements Task {
    private static final String ACCURACY = "accuracy";

    private final Recipe recipe;
    private final List<String> training;
    private final List<String> heldOut;

    private MaskedLanguageModeling(Recipe recipe, List<String> training, List<String> heldOut) {
        this.recipe = recipe;
        this.training = training;
        this.heldOut = heldOut;
    }

    /**
     * Reads the texts of a recipe.
     *
     * @throws IOException if a file is missing or malformed
     * @throws RecipeException if there are no texts, or they are not plain
     */
    public static MaskedLanguageModeling open(TaskSetting setting) throws IOException {
        Recipe recipe = setting.recipe();
        if (recipe.data().trained().isEmpty()) {
            throw new RecipeException("data.train is missing: name the texts to train on, data.train=corpus.txt");
        }
        if (recipe.data().sources().stream().anyMatch(source -> source.weight() != null)) {
            throw new RecipeException(
                    "data.sources: weights have no effect with task=masked_language_modeling; remove them");
        }
        setting.progress().accept("reading the text");
        List<String> training = new ArrayList<>();
        for (Path path : recipe.data().trained()) {
            training.addAll(texts(path));
        }
        Path eval = recipe.data().eval();
        return new MaskedLanguageModeling(recipe, training, eval == null ? List.of() : texts(eval));
    }

    /** A task without texts, by which the memory of a recipe is planned. */
    public static MaskedLanguageModeling unread(Recipe recipe) {
        return new MaskedLanguageModeling(recipe, List.of(), List.of());
    }

    private static List<String> texts(Path path) throws IOException {
        List<String> texts = new ArrayList<>();
        for (Document document : Documents.read(path)) {
            switch (document) {
                case Document.Text text -> texts.add(text.text());
                case Document.TextFile file -> {
                    try (Reader reader = new BufferedReader(file.open())) {
                        texts.add(reader.readAllAsString());
                    }
                }
                case Document.PromptCompletion _, Document.Chat _ ->
                    throw new RecipeException(
                            path + " has prompts or chats; task=masked_language_modeling reads plain text");
            }
        }
        return texts;
    }

    @Override
    public Head head() {
        return new Head.LanguageModeling();
    }

    @Override
    public Batch largest(Device device, int rows, int length) {
        Shape shape = Shape.of(rows, length);
        return new Batch(
                empty(device, shape), empty(device, shape), shape.size(), null, null, empty(device, shape), null);
    }

    // ---- data ----

    @Override
    public Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) throws IOException {
        MaskedBatches.Tokens tokens = tokens(tokenizer, config);
        List<EncodedText> rows = new ArrayList<>();
        List<EncodedText> held = new ArrayList<>(rows(heldOut, tokenizer, length));
        double share = recipe.data().eval() == null ? recipe.data().validationSplit() : 0;
        for (EncodedText row : rows(training, tokenizer, length)) {
            int index = rows.size() + held.size();
            boolean holds = share > 0 && Math.floor((index + 1) * share) > Math.floor(index * share);
            (holds ? held : rows).add(row);
        }
        if (rows.isEmpty() || held.isEmpty()) {
            throw new RecipeException(
                    "the text has " + (rows.size() + held.size()) + " rows of data.max_seq_len=" + length
                            + " tokens, which leaves none to " + (rows.isEmpty() ? "train" : "evaluate")
                            + " on; add text, or set data.eval to a file");
        }
        if (recipe.maxEvalBlocks() != null && recipe.maxEvalBlocks() < held.size()) {
            held = held.subList(0, recipe.maxEvalBlocks());
        }
        TaskBatches.requireKnown(Stream.concat(rows.stream(), held.stream()), config);
        return TaskBatches.of(
                recipe,
                config,
                length,
                tokenizer.pad().orElse(0),
                rows,
                held,
                (texts, settings) -> batches(texts, tokens, settings));
    }

    private static MaskedBatches batches(
            List<EncodedText> rows, MaskedBatches.Tokens tokens, PaddedBatches.Settings settings) {
        PaddedBatches padded = new PaddedBatches(
                rows, (chosen, _, device) -> Tensor.of(device, new int[chosen.length], chosen.length), settings);
        return new MaskedBatches(padded, tokens, settings.seed(), !settings.shuffle());
    }

    private static MaskedBatches.Tokens tokens(Tokenizer tokenizer, ModelConfig config) {
        String mask = tokenizer.specialTokens().get("mask_token");
        int[] ids = mask == null ? new int[0] : tokenizer.encode(mask);
        if (ids.length != 1) {
            throw new RecipeException(
                    "task=masked_language_modeling needs a tokenizer with a mask_token, such as that of BERT;"
                            + " this one has " + tokenizer.specialTokens().keySet());
        }
        Set<Integer> special = IntStream.concat(
                        Arrays.stream(tokenizer.withSpecialTokens(new int[0]).ids()),
                        IntStream.concat(Arrays.stream(ids), tokenizer.pad().stream()))
                .boxed()
                .collect(Collectors.toSet());
        return new MaskedBatches.Tokens(ids[0], special, Math.min(tokenizer.vocabSize(), config.vocabSize()));
    }

    private static List<EncodedText> rows(List<String> texts, Tokenizer tokenizer, int length) {
        int room = length - tokenizer.withSpecialTokens(new int[0]).ids().length;
        if (room < 1) {
            throw new RecipeException(
                    "data.max_seq_len is " + length + ", which leaves no room for text beside special tokens");
        }
        List<EncodedText> rows = new ArrayList<>();
        for (String text : texts) {
            int[] ids = tokenizer.encode(text);
            for (int from = 0; from < ids.length; from += room) {
                rows.add(tokenizer.withSpecialTokens(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + room))));
            }
        }
        return rows;
    }

    // ---- loss and scores ----

    @Override
    public Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch) {
        Hidden hidden = hidden(hiddenStates, batch);
        @Nullable Integer chunk = recipe.memory().lossChunkSize();
        return model.crossEntropy(
                hidden.states, hidden.targets, CrossEntropyOptions.of(Reduction.SUM), chunk == null ? 0 : chunk);
    }

    /** The states of hidden tokens, {@code [N, hidden_size]}, and the targets, {@code [N]}: no others have logits. */
    private record Hidden(Variable states, Tensor targets) {}

    private static Hidden hidden(Variable states, Batch batch) {
        long rows = states.shape().get(0) * states.shape().get(1);
        Variable flat = states.reshape(rows, states.shape().last());
        Tensor targets = batch.targets().reshape(rows);
        if (!targets.backend().hasElements()) {
            return new Hidden(flat, targets); // the plan of memory: as if all were hidden
        }
        int[] all = targets.toInts();
        int[] places = IntStream.range(0, all.length)
                .filter(i -> all[i] != CrossEntropy.IGNORE_INDEX)
                .toArray();
        int[] counted = Arrays.stream(places).map(i -> all[i]).toArray();
        Device device = states.device();
        return new Hidden(
                flat.embedding(Tensor.of(device, places, places.length)), Tensor.of(device, counted, counted.length));
    }

    /** The number of hidden tokens, and of those that are predicted. */
    @Override
    public double[] observe(PretrainedModel model, Variable hiddenStates, Batch batch) {
        Hidden hidden = hidden(hiddenStates, batch);
        float[] logits = model.logits(hidden.states).value().toFloats();
        int[] targets = hidden.targets.toInts();
        int vocabulary = logits.length / Math.max(1, targets.length);
        int right = 0;
        for (int row = 0; row < targets.length; row++) {
            int best = 0;
            for (int id = 1; id < vocabulary; id++) {
                best = logits[row * vocabulary + id] > logits[row * vocabulary + best] ? id : best;
            }
            right += best == targets[row] ? 1 : 0;
        }
        return new double[] {targets.length, right};
    }

    @Override
    public Scores score(List<double[]> observed) {
        double all = observed.stream().mapToDouble(batch -> batch[0]).sum();
        double right = observed.stream().mapToDouble(batch -> batch[1]).sum();
        return new Scores(Map.of(ACCURACY, right / all), List.of(), List.of());
    }

    @Override
    public Map<String, Boolean> metrics() {
        return Map.of(ACCURACY, true);
    }

    @Override
    public List<String> describe() {
        return List.of("masked language modeling: " + training.size() + " texts to train on"
                + (heldOut.isEmpty() ? "" : ", " + heldOut.size() + " held out"));
    }
}

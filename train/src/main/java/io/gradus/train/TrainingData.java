package io.gradus.train;

import io.gradus.data.BatchSource;
import io.gradus.data.Batches;
import io.gradus.data.Blocks;
import io.gradus.data.DataFormat;
import io.gradus.data.Dataset;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.Mixture;
import io.gradus.data.Packing;
import io.gradus.data.Split;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The dataset that a recipe describes: its texts, tokenized and packed.
 *
 * @param training shuffled batches of the training text and of replayed general text
 * @param evaluation {@code held_out}, and {@code general} if there is general text to evaluate on
 * @param general the replayed general text in batches of one block; empty if the recipe needs none
 * @param samplePrompt the tokens of the beginning of held-out text; always present
 * @param stopIds the tokens that end the answers of chats
 * @param chatTemplate how chats are written; empty if there are none to train on
 */
record TrainingData(
        Batches training,
        Map<String, BatchSource> evaluation,
        Optional<BatchSource> general,
        Optional<int[]> samplePrompt,
        Set<Integer> stopIds,
        Optional<ChatTemplate> chatTemplate)
        implements Dataset {
    static final String HELD_OUT = "held_out";
    private static final String TRAINING = "training text";
    private static final String GENERAL = "general";
    private static final int PROMPT_CHARACTERS = 60;

    static TrainingData read(Recipe recipe, Texts texts, Tokenizer tokenizer, int blockLength) throws IOException {
        return read(recipe, texts, tokenizer, blockLength, 0, LocalDateTime.now(ZoneId.systemDefault()), _ -> {});
    }

    /**
     * Reads the texts of a recipe.
     *
     * @param layers of a network that has a state, which contiguous batches carry; 0 for another network
     * @param time the local time that chat templates can ask for
     * @param progress is called while a text is tokenized for long
     */
    static TrainingData read(
            Recipe recipe,
            Texts texts,
            Tokenizer tokenizer,
            int blockLength,
            int layers,
            LocalDateTime time,
            Consumer<Progress> progress)
            throws IOException {
        Packer packer = new Packer(recipe.data(), tokenizer, blockLength, time, progress);
        List<Part> parts = training(recipe.data(), texts, packer.format);
        boolean contiguous = recipe.data().packing() == Packing.CONTIGUOUS;
        if (contiguous) {
            requireOneStream(recipe, parts, layers);
        }
        Optional<List<Document>> given = recipe.data().trained().isEmpty() ? texts.heldOut() : Optional.empty();
        List<Collection<Document>> heldOut = new ArrayList<>();
        if (recipe.data().eval() != null) {
            heldOut.add(Documents.read(recipe.data().eval(), packer.format));
        } else {
            given.ifPresent(heldOut::add);
        }
        List<Mixture.Source> sources = new ArrayList<>();
        for (Part part : parts) {
            Collection<Document> training = part.documents;
            if (recipe.data().eval() == null && given.isEmpty()) {
                Split split = Split.of(training, recipe.data().validationSplit());
                training = split.training();
                heldOut.add(split.heldOut());
            }
            Blocks blocks = packer.pack(part.name, training);
            sources.add(new Mixture.Source(part.name, blocks, part.weight == null ? blocks.size() : part.weight));
        }
        Map<String, BatchSource> evaluation = new LinkedHashMap<>();
        evaluation.put(HELD_OUT, evaluation(recipe, packer.pack("held-out text", Documents.concat(heldOut)), layers));
        General general = general(recipe, texts, packer.format);
        if (!general.evaluated.isEmpty()) {
            evaluation.put(GENERAL, evaluation(recipe, packer.pack("general text", general.evaluated), layers));
        }
        Mixture mixture = Mixture.of(sources);
        Blocks replay = general.replay.isEmpty() ? null : packer.pack("general text to replay", general.replay);
        if (recipe.data().replayRatio() > 0) {
            mixture = mixture.with(
                    "general text",
                    Objects.requireNonNull(replay),
                    recipe.data().replayRatio());
        }
        return new TrainingData(
                contiguous
                        ? stream(recipe, mixture.sources().getFirst().blocks(), layers)
                        : new Batches(mixture, recipe.batchSize(), recipe.seed(), true),
                evaluation,
                Optional.ofNullable(replay).map(blocks -> new Batches(blocks, 1, 0, false)),
                Optional.of(packer.prompt(heldOut.getFirst().iterator().next())),
                packer.stopIds,
                packer.stopIds.isEmpty() ? Optional.empty() : Optional.ofNullable(packer.format.chatTemplate()));
    }

    private static Batches stream(Recipe recipe, Blocks blocks, int layers) {
        return recipe.data().variableBptt()
                ? Batches.ofRandomLengths(blocks, recipe.batchSize(), layers, recipe.seed())
                : Batches.contiguous(blocks, recipe.batchSize(), layers);
    }

    private static Batches evaluation(Recipe recipe, Blocks blocks, int layers) {
        Blocks first = blocks.first(Math.min(recipe.evaluatedBlocks(), blocks.size()));
        return recipe.data().packing() == Packing.CONTIGUOUS
                ? Batches.contiguous(first, Math.min(recipe.batchSize(), first.size()), layers)
                : new Batches(first, recipe.batchSize(), 0, false);
    }

    /** Contiguous batches are of one text, all of which is learned, for a network that reads it in order. */
    private static void requireOneStream(Recipe recipe, List<Part> parts, int layers) {
        String packing = "data.packing is contiguous, ";
        if (layers == 0) {
            throw new RecipeException(packing + "but the model has no state that it could carry from row to row; use"
                    + " stream or documents, or a recurrent model (awd_lstm)");
        }
        if (parts.size() > 1 || recipe.data().replayRatio() > 0) {
            throw new RecipeException(
                    packing + "but there are several texts (data.sources or data.replay_ratio); name one, data.train");
        }
        if (Packing.usual(parts.getFirst().documents) != Packing.STREAM) {
            throw new RecipeException(packing + "which is for plain text, not for examples; use data.format=text, or"
                    + " data.packing=stream");
        }
    }

    // ---- documents ----

    /** One source, before a part of it is held out. */
    private record Part(
            String name,
            Collection<Document> documents,
            @Nullable Double weight) {}

    private static List<Part> training(Recipe.Data data, Texts texts, DataFormat format) throws IOException {
        if (data.train() != null) {
            return List.of(new Part(TRAINING, Documents.read(data.train(), format), null));
        }
        if (data.sources().isEmpty()) {
            List<Document> documents = texts.training()
                    .orElseThrow(() -> new RecipeException(
                            "data.train is missing: name the text to fine-tune on, data.train=corpus.txt"));
            return List.of(new Part(TRAINING, documents, null));
        }
        List<Part> parts = new ArrayList<>();
        for (Recipe.Source source : data.sources()) {
            parts.add(new Part(source.path().toString(), Documents.read(source.path(), format), source.weight()));
        }
        return parts;
    }

    /** General text: to evaluate on, and to replay or to estimate importance from. */
    private record General(Collection<Document> evaluated, Collection<Document> replay) {}

    private static General general(Recipe recipe, Texts texts, DataFormat task) throws IOException {
        DataFormat format = new DataFormat(DataFormat.Kind.AUTO, task.chatTemplate(), task.labels());
        Recipe.Data data = recipe.data();
        Collection<Document> all = data.general() != null
                ? Documents.read(data.general(), format)
                : texts.general().orElse(List.of());
        if (data.replayRatio() == 0 && recipe.forgetting().ewc() == 0) {
            return new General(all, List.of());
        }
        if (data.replay() != null) {
            return new General(all, Documents.read(data.replay(), format));
        }
        Optional<List<Document>> known = data.general() == null ? texts.known() : Optional.empty();
        if (known.isPresent()) {
            return new General(all, known.get());
        }
        if (all.isEmpty()) {
            throw new RecipeException((data.replayRatio() > 0 ? "data.replay_ratio" : "ewc")
                    + " needs text of the kind that the model knows already: name it, data.general=general.txt");
        }
        // Forgetting must not be measured on text that is replayed.
        Split split = Split.of(all, data.validationSplit());
        return new General(split.heldOut(), split.training());
    }

    // ---- blocks ----

    /** Packs documents into blocks; errors and warnings name the text. */
    private static final class Packer {
        private static final System.Logger LOG = System.getLogger(TrainingData.class.getName());

        private final DataFormat format;
        private final @Nullable Packing packing;
        private final Tokenizer tokenizer;
        private final int blockLength;
        private final Consumer<Progress> progress;
        private final Set<Integer> stopIds = new TreeSet<>();

        Packer(Recipe.Data data, Tokenizer tokenizer, int blockLength, LocalDateTime time, Consumer<Progress> progress)
                throws IOException {
            this.format = new DataFormat(
                    data.format(),
                    ChatTemplate.choose(data.chatTemplate(), tokenizer)
                            .map(template -> template.at(time))
                            .orElse(null),
                    data.labelTemplate());
            this.packing = data.packing();
            this.tokenizer = tokenizer;
            this.blockLength = blockLength;
            this.progress = progress;
        }

        Blocks pack(String name, Collection<Document> documents) {
            Packing how = packing == null ? Packing.usual(documents) : packing;
            try {
                Blocks blocks = Blocks.pack(
                        documents,
                        tokenizer,
                        blockLength,
                        how,
                        format.chatTemplate(),
                        new TokenizingProgress(name, progress, System::nanoTime));
                stopIds.addAll(blocks.answerEnds());
                blocks.warnings().forEach(warning -> LOG.log(System.Logger.Level.WARNING, name + ": " + warning));
                return blocks;
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
            }
        }

        /** The prompt of a sample: the beginning of a document, or everything before the first answer of a chat. */
        int[] prompt(Document document) {
            return switch (document) {
                case Document.Text plain -> Prompts.encode(tokenizer, beginning(plain.text()));
                case Document.TextFile file ->
                    Prompts.encode(tokenizer, beginning(file.beginning(2 * PROMPT_CHARACTERS)));
                case Document.PromptCompletion pair -> Prompts.encode(tokenizer, beginning(pair.prompt()));
                case Document.Chat chat -> prompt(chat);
            };
        }

        private int[] prompt(Document.Chat chat) {
            List<ChatMessage> asked = chat.messages().stream()
                    .takeWhile(message -> !message.isAssistant())
                    .toList();
            ChatTemplate template = Objects.requireNonNull(format.chatTemplate());
            if (asked.isEmpty()) {
                return Prompts.encode(
                        tokenizer, beginning(chat.messages().getFirst().content()));
            }
            return tokenizer.encode(template.prompt(asked, chat.variables())); // the template writes bos
        }
    }

    /** The beginning of a text, up to a space. */
    private static String beginning(String text) {
        if (text.length() <= PROMPT_CHARACTERS) {
            return text;
        }
        int space = text.lastIndexOf(' ', PROMPT_CHARACTERS);
        int halfCharacter = Character.isHighSurrogate(text.charAt(PROMPT_CHARACTERS - 1)) ? 1 : 0;
        return text.substring(0, space > 0 ? space : PROMPT_CHARACTERS - halfCharacter);
    }

    /**
     * Checks that the vocabulary has every token.
     *
     * @throws RecipeException if the text has a token that the model does not have
     */
    void requireFits(int vocabSize) {
        int max = Stream.concat(Stream.of(training), evaluation.values().stream())
                .mapToInt(batches -> ((Batches) batches).mixture().maxId())
                .max()
                .orElseThrow();
        if (max >= vocabSize) {
            throw new RecipeException("the text has the token " + max + ", but the vocab_size of the model is "
                    + vocabSize + "; the tokenizer belongs to another model");
        }
    }
}

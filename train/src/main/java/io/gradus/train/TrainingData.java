package io.gradus.train;

import io.gradus.nn.model.LanguageModel;
import io.gradus.train.data.Blocks;
import io.gradus.train.data.ChatMessage;
import io.gradus.train.data.ChatTemplate;
import io.gradus.train.data.Corpus;
import io.gradus.train.data.DataFormat;
import io.gradus.train.data.Document;
import io.gradus.train.data.Documents;
import io.gradus.train.data.Mixture;
import io.gradus.train.data.Packing;
import io.gradus.train.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The text of a run as blocks of tokens.
 *
 * @param training what the model is trained on
 * @param evaluated what it is evaluated on, by name: {@code held_out}, and {@code general} where the recipe names one
 * @param known text of the kind that the model knows, which is not evaluated: mixed in, or what elastic weight consolidation
 *     looks at; null where the recipe wants neither
 * @param samplePrompt the beginning of held-out text
 */
record TrainingData(
        Mixture training,
        Map<String, Blocks> evaluated,
        @Nullable Blocks known,
        String samplePrompt) {
    static final String HELD_OUT = "held_out";
    private static final String TRAINING = "training text";
    private static final String GENERAL = "general";
    private static final int PROMPT_CHARACTERS = 60;

    static TrainingData read(Recipe recipe, Tokenizer tokenizer, int blockLength) throws IOException {
        Packer packer = new Packer(recipe.data(), tokenizer, blockLength);
        List<Part> parts = training(recipe.data(), packer.format);
        List<Document> heldOut = new ArrayList<>();
        if (recipe.data().eval() != null) {
            heldOut.addAll(Documents.read(recipe.data().eval(), packer.format));
        } else if (parts.isEmpty()) {
            heldOut.addAll(documents(Corpus.CODE.heldOut()));
        }
        List<Mixture.Source> sources = new ArrayList<>();
        for (Part part : parts) {
            List<Document> training = part.documents;
            if (recipe.data().eval() == null) {
                Documents.Split split = Documents.split(training, recipe.data().heldOut());
                training = split.training();
                heldOut.addAll(split.heldOut());
            }
            Blocks blocks = packer.pack(part.name, training);
            sources.add(new Mixture.Source(part.name, blocks, part.weight == null ? blocks.size() : part.weight));
        }
        if (parts.isEmpty()) {
            Blocks blocks = packer.pack(TRAINING, documents(Corpus.CODE.training()));
            sources.add(new Mixture.Source(TRAINING, blocks, 1));
        }
        Map<String, Blocks> evaluated = new LinkedHashMap<>();
        evaluated.put(HELD_OUT, packer.pack("held-out text", heldOut));
        General general = general(recipe, packer.format);
        if (!general.evaluated.isEmpty()) {
            evaluated.put(GENERAL, packer.pack("general text", general.evaluated));
        }
        Mixture mixture = Mixture.of(sources);
        Blocks known = general.learnt.isEmpty() ? null : packer.pack("general text to learn from", general.learnt);
        if (recipe.data().mix() > 0) {
            mixture = mixture.with(
                    "general text", Objects.requireNonNull(known), recipe.data().mix());
        }
        return new TrainingData(mixture, evaluated, known, packer.prompt(heldOut.getFirst()));
    }

    // ---- what is read ----

    /** One source, before anything of it is held out. */
    private record Part(
            String name, List<Document> documents, @Nullable Double weight) {}

    /** None for the built-in text. */
    private static List<Part> training(Recipe.Data data, DataFormat format) throws IOException {
        if (data.train() != null) {
            return List.of(new Part(TRAINING, Documents.read(data.train(), format), null));
        }
        List<Part> parts = new ArrayList<>();
        for (Recipe.Source source : data.sources()) {
            parts.add(new Part(source.path().toString(), Documents.read(source.path(), format), source.weight()));
        }
        return parts;
    }

    /** Text of the kind that the model knows already: to evaluate on; and to mix in, or to see what is important for it. */
    private record General(List<Document> evaluated, List<Document> learnt) {}

    private static General general(Recipe recipe, DataFormat task) throws IOException {
        DataFormat format = new DataFormat(DataFormat.Kind.AUTO, task.chatTemplate(), task.labels());
        Recipe.Data data = recipe.data();
        boolean builtIn = data.general() == null && recipe.model().path() == null;
        List<Document> all = data.general() != null
                ? Documents.read(data.general(), format)
                : builtIn ? documents(Corpus.PROSE.heldOut()) : List.of();
        if (data.mix() == 0 && recipe.forgetting().ewc() == 0) {
            return new General(all, List.of());
        }
        if (data.mixText() != null) {
            return new General(all, Documents.read(data.mixText(), format));
        }
        if (builtIn) {
            return new General(all, documents(Corpus.PROSE.training()));
        }
        // What is learnt from must not be what forgetting is measured on.
        Documents.Split split = Documents.split(all, data.heldOut());
        return new General(split.heldOut(), split.training());
    }

    // ---- blocks ----

    /** Makes blocks of documents; a complaint or a warning says of which text it is. */
    private static final class Packer {
        private static final System.Logger LOG = System.getLogger(TrainingData.class.getName());

        private final DataFormat format;
        private final @Nullable Packing packing;
        private final Tokenizer tokenizer;
        private final int blockLength;

        Packer(Recipe.Data data, Tokenizer tokenizer, int blockLength) {
            this.format = new DataFormat(data.format(), data.chatTemplate(), data.labels()).withTemplateOf(tokenizer);
            this.packing = data.packing();
            this.tokenizer = tokenizer;
            this.blockLength = blockLength;
        }

        Blocks pack(String name, List<Document> documents) {
            Packing how = packing == null ? Packing.usual(documents) : packing;
            try {
                Blocks blocks = Blocks.pack(documents, tokenizer, blockLength, how, format.chatTemplate());
                blocks.warnings().forEach(warning -> LOG.log(System.Logger.Level.WARNING, name + ": " + warning));
                return blocks;
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
            }
        }

        /** What a sample begins with: the beginning of a document, or of a chat all before the first answer. */
        String prompt(Document document) {
            return switch (document) {
                case Document.Text plain -> beginning(plain.text());
                case Document.PromptCompletion pair -> beginning(pair.prompt());
                case Document.Chat chat -> prompt(chat);
            };
        }

        private String prompt(Document.Chat chat) {
            List<ChatMessage> asked = chat.messages().stream()
                    .takeWhile(message -> message.role() != ChatMessage.Role.ASSISTANT)
                    .toList();
            ChatTemplate template = Objects.requireNonNull(format.chatTemplate());
            if (asked.isEmpty()) {
                return beginning(chat.messages().getFirst().content());
            }
            String text = template.renderPrompt(asked, tokenizer).text();
            // A bos that the tokeniser puts in front by itself must not stand there twice.
            String bos = tokenizer.addsBos()
                    ? tokenizer.spell(tokenizer.bos().stream().toArray())
                    : "";
            return text.startsWith(bos) ? text.substring(bos.length()) : text;
        }
    }

    private static List<Document> documents(List<String> texts) {
        return texts.stream().<Document>map(Document.Text::new).toList();
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
     * Checks that the model knows every token.
     *
     * @throws RecipeException when the tokeniser has more tokens than the model
     */
    void requireFits(LanguageModel model) {
        int max = training.maxId();
        for (Blocks blocks : evaluated.values()) {
            max = Math.max(max, blocks.maxId());
        }
        if (max >= model.vocabSize()) {
            throw new RecipeException("the text has the token " + max + ", but the model knows " + model.vocabSize()
                    + " (vocab_size); the tokeniser belongs to another model");
        }
    }
}

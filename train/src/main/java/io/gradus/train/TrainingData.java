package io.gradus.train;

import io.gradus.nn.model.LanguageModel;
import io.gradus.train.data.Blocks;
import io.gradus.train.data.Corpus;
import io.gradus.train.data.Document;
import io.gradus.train.data.Documents;
import io.gradus.train.text.Tokenizer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The text of a run as blocks of tokens.
 *
 * @param training what the model is trained on
 * @param evaluated what it is evaluated on, by name: {@code held_out}, and {@code general} where the recipe names one
 * @param samplePrompt the beginning of held-out text
 */
record TrainingData(Blocks training, Map<String, Blocks> evaluated, String samplePrompt) {
    private static final String HELD_OUT = "held_out";
    private static final String GENERAL = "general";
    private static final int PROMPT_CHARACTERS = 60;

    static TrainingData read(Recipe recipe, Tokenizer tokenizer, int blockLength) throws IOException {
        Recipe.Data data = recipe.data();
        List<Document> training;
        List<Document> heldOut;
        if (data.eval() != null) {
            training = data.train() == null ? documents(Corpus.CODE.training()) : Documents.read(data.train());
            heldOut = Documents.read(data.eval());
        } else if (data.train() == null) {
            training = documents(Corpus.CODE.training());
            heldOut = documents(Corpus.CODE.heldOut());
        } else {
            Documents.Split split = Documents.split(Documents.read(data.train()), data.heldOut());
            training = split.training();
            heldOut = split.heldOut();
        }
        Map<String, Blocks> evaluated = new LinkedHashMap<>();
        Blocks blocks = pack("training text", training, tokenizer, blockLength);
        evaluated.put(HELD_OUT, pack("held-out text", heldOut, tokenizer, blockLength));
        if (data.general() != null) {
            List<Document> general = Documents.read(data.general());
            evaluated.put(GENERAL, pack("general text", general, tokenizer, blockLength));
        } else if (recipe.model().path() == null) {
            List<Document> general = documents(Corpus.PROSE.heldOut());
            evaluated.put(GENERAL, pack("general text", general, tokenizer, blockLength));
        }
        return new TrainingData(blocks, evaluated, prompt(heldOut.getFirst()));
    }

    /** {@link Blocks#pack}; a complaint says of which text it is. */
    private static Blocks pack(String name, List<Document> documents, Tokenizer tokenizer, int blockLength) {
        try {
            return Blocks.pack(documents, tokenizer, blockLength);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
    }

    private static List<Document> documents(List<String> texts) {
        return texts.stream().<Document>map(Document.Text::new).toList();
    }

    /** The beginning of a document, up to a space. */
    private static String prompt(Document document) {
        String text = switch (document) {
            case Document.Text plain -> plain.text();
            case Document.PromptCompletion pair -> pair.prompt();
        };
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
        if (max >= model.vocabularySize()) {
            throw new RecipeException("the text has the token " + max + ", but the model knows "
                    + model.vocabularySize() + " (vocab_size); the tokeniser belongs to another model");
        }
    }
}

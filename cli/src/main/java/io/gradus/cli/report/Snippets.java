package io.gradus.cli.report;

import io.gradus.train.recipe.Recipe;
import java.nio.file.Path;
import java.util.Locale;

/** Commands for using the trained model, ready to copy. */
final class Snippets {
    private static final int PROMPT_CHARACTERS = 60;

    private Snippets() {}

    /** Returns Python code for Hugging Face transformers. */
    static String python(Recipe.TaskKind task, Path folder, String prompt) {
        return switch (task) {
            case LANGUAGE_MODELING -> python(folder, prompt);
            case SEQUENCE_CLASSIFICATION -> pipeline("text-classification", folder, "", "\"A text to classify.\"");
            case TOKEN_CLASSIFICATION ->
                pipeline("token-classification", folder, ", aggregation_strategy=\"first\"", "\"A text to classify.\"");
            case MASKED_LANGUAGE_MODELING ->
                pipeline("fill-mask", folder, "", "f\"A text with a {use.tokenizer.mask_token}.\"");
            case EMBEDDINGS -> String.format(Locale.ROOT, """
                from sentence_transformers import SentenceTransformer

                embedder = SentenceTransformer(%s)
                vectors = embedder.encode(["A text.", "Another text."])
                print(embedder.similarity(vectors, vectors))\
                """, pythonString(folder.toString()));
        };
    }

    /** Returns a command that uses the model. */
    static String shell(Recipe.TaskKind task, Path folder, String prompt) {
        String word = shellWord(folder.toString());
        return switch (task) {
            case LANGUAGE_MODELING -> shell(folder, prompt);
            case SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION ->
                "./gradus predict --model " + word + " --data texts.csv";
            case MASKED_LANGUAGE_MODELING ->
                "./gradus finetune model.path=" + word + " \\\n    task=sequence_classification data.train=texts.csv";
            case EMBEDDINGS -> "./gradus finetune model.path=" + word + " \\\n    task=embeddings data.train=pairs.csv";
        };
    }

    private static String pipeline(String name, Path folder, String options, String text) {
        return String.format(Locale.ROOT, """
                from transformers import pipeline

                use = pipeline("%s", model=%s%s)
                print(use(%s))\
                """, name, pythonString(folder.toString()), options, text);
    }

    /** Returns Python code that writes text. */
    static String python(Path folder, String prompt) {
        String model = pythonString(folder.toString());
        String beginning = pythonString(oneLine(prompt));
        return String.format(Locale.ROOT, """
            from transformers import AutoModelForCausalLM, AutoTokenizer

            folder = %s
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForCausalLM.from_pretrained(folder)
            inputs = tokenizer(%s, return_tensors="pt")
            print(tokenizer.decode(model.generate(**inputs, max_new_tokens=100)[0]))\
            """, model, beginning);
    }

    /** Returns a {@code gradus generate} command. */
    static String shell(Path folder, String prompt) {
        return String.format(Locale.ROOT, """
            ./gradus generate --model %s \\
                --prompt %s --max-tokens 100\
            """, shellWord(folder.toString()), shellWord(oneLine(prompt)));
    }

    /** Returns the start of a prompt, without line breaks and control characters. */
    private static String oneLine(String prompt) {
        String text =
                Page.visible(prompt).replaceAll("[\\s\\u2400-\\u2426]+", " ").strip();
        if (text.codePointCount(0, text.length()) <= PROMPT_CHARACTERS) {
            return text;
        }
        int end = text.offsetByCodePoints(0, PROMPT_CHARACTERS);
        int space = text.lastIndexOf(' ', end);
        return text.substring(0, space > 0 ? space : end);
    }

    private static String pythonString(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String shellWord(String text) {
        return text.matches("[\\w./:@%+=,-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}

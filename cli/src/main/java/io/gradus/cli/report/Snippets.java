package io.gradus.cli.report;

import java.nio.file.Path;
import java.util.Locale;

/** Commands for using the trained model, ready to copy. */
final class Snippets {
    private static final int PROMPT_CHARACTERS = 60;

    private Snippets() {}

    /** Returns Python code for Hugging Face transformers. */
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

    /** Returns Python code that classifies a text with Hugging Face transformers. */
    static String classifierPython(Path folder) {
        return String.format(Locale.ROOT, """
            from transformers import pipeline

            classify = pipeline("text-classification", model=%s)
            print(classify("A text to classify."))\
            """, pythonString(folder.toString()));
    }

    /** Returns a {@code gradus predict} command. */
    static String classifierShell(Path folder) {
        return "./gradus predict --model " + shellWord(folder.toString()) + " --data texts.csv";
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

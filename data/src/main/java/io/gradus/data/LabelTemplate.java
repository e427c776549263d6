package io.gradus.data;

/**
 * How a labeled text is written as a prompt and its completion. {@code {text}} and {@code {label}} are replaced; spaces are kept.
 *
 * @param prompt contains {@code {text}}, and ends where the completion begins
 * @param completion contains {@code {label}}
 */
public record LabelTemplate(String prompt, String completion) {
    /** The text, then a line with {@code Label:} and the label. */
    public static final LabelTemplate DEFAULT = new LabelTemplate("{text}\nLabel:", " {label}");

    private static final String TEXT = "{text}";
    private static final String LABEL = "{label}";

    public LabelTemplate {
        require("prompt", prompt, TEXT, LABEL);
        require("completion", completion, LABEL, TEXT);
    }

    private static void require(String name, String template, String wanted, String unwanted) {
        if (!template.contains(wanted) || template.contains(unwanted)) {
            throw new IllegalArgumentException("the " + name + " is '" + template + "'; it must contain " + wanted
                    + (template.contains(unwanted) ? ", but not " + unwanted : ""));
        }
    }

    /** The prompt of a text whose label is unknown. */
    public String prompt(String text) {
        return prompt.replace(TEXT, text);
    }

    /** The completion with a label. */
    public String completion(String label) {
        return completion.replace(LABEL, label);
    }

    /** The prompt and the completion of a labeled text. */
    public Document.PromptCompletion of(LabeledText labeled) {
        return new Document.PromptCompletion(prompt(labeled.text()), completion(labeled.label()));
    }
}

package io.gradus.data;

/**
 * How a labelled text becomes what a language model reads and what it is to write. {@code {text}} and {@code {label}} stand
 * for the two; blanks count.
 *
 * @param prompt has {@code {text}} in it, and ends where the label begins
 * @param completion has {@code {label}} in it
 */
public record LabelTemplate(String prompt, String completion) {
    /** The text, and on a line of its own {@code Label:} with the label after it. */
    public static final LabelTemplate DEFAULT = new LabelTemplate("{text}\nLabel:", " {label}");

    private static final String TEXT = "{text}";
    private static final String LABEL = "{label}";

    public LabelTemplate {
        require("prompt", prompt, TEXT, LABEL);
        require("completion", completion, LABEL, TEXT);
    }

    private static void require(String name, String template, String wanted, String unwanted) {
        if (!template.contains(wanted) || template.contains(unwanted)) {
            throw new IllegalArgumentException(
                    "the " + name + " of a labelled text is written as '" + template + "'; it must have " + wanted
                            + " in it" + (template.contains(unwanted) ? " and not " + unwanted : ""));
        }
    }

    /** The question, for a text whose label is to be found out. */
    public String prompt(String text) {
        return prompt.replace(TEXT, text);
    }

    /** The answer. */
    public String completion(String label) {
        return completion.replace(LABEL, label);
    }

    /** Both. */
    public Document.PromptCompletion of(LabelledText labelled) {
        return new Document.PromptCompletion(prompt(labelled.text()), completion(labelled.label()));
    }
}

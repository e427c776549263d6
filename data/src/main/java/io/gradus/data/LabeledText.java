package io.gradus.data;

/**
 * A text with its class.
 *
 * @param text not blank
 * @param label not blank
 */
public record LabeledText(String text, String label) {}

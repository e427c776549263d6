package io.gradus.data;

/**
 * A text and the class that it belongs to.
 *
 * @param text with something in it
 * @param label with something in it
 */
public record LabelledText(String text, String label) {}

package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A value in a JSON file, with its path in the file for messages, such as {@code model.vocab} or {@code added_tokens[3].id}. The
 * methods that read a value require its type and range.
 *
 * @param file the file
 * @param path the path in the file; empty for the whole file
 * @param value the value; a missing node if there is none
 */
record JsonPart(Path file, String path, JsonNode value) {
    private static final int MAX_MESSAGE = 1000;

    /** The value under a key of an object. */
    JsonPart get(String key) {
        return new JsonPart(file, path.isEmpty() ? key : path + "." + key, value.path(key));
    }

    /** The element of a list. */
    JsonPart get(int index) {
        return new JsonPart(file, path + "[" + index + "]", value.path(index));
    }

    /** Another value in the same place. */
    JsonPart with(JsonNode other) {
        return new JsonPart(file, path, other);
    }

    /** Whether there is no value, or {@code null}. */
    boolean isAbsent() {
        return value.isMissingNode() || value.isNull();
    }

    /** An error that names the file, the path, and the problem. */
    IOException error(String problem) {
        String message = (path.isEmpty() ? "" : path + " ") + problem;
        boolean shortEnough = message.length() <= MAX_MESSAGE; // it may quote a long value
        return new IOException(file + ": " + (shortEnough ? message : message.substring(0, MAX_MESSAGE) + "…"));
    }

    private IOException isNot(String expected) {
        if (value.isMissingNode()) {
            return error("is missing; it must be " + expected);
        }
        String text = value.toString();
        return error("is " + (text.length() > 60 ? text.substring(0, 60) + "…" : text) + "; it must be " + expected);
    }

    void require(boolean condition, String expected) throws IOException {
        if (!condition) {
            throw isNot(expected);
        }
    }

    JsonPart object() throws IOException {
        require(value.isObject(), "an object");
        return this;
    }

    /** The elements of a list. */
    List<JsonPart> list() throws IOException {
        require(value.isArray(), "a list");
        List<JsonPart> elements = new ArrayList<>(value.size());
        for (int i = 0; i < value.size(); i++) {
            elements.add(get(i));
        }
        return elements;
    }

    boolean flag() throws IOException {
        require(value.isBoolean(), "true or false");
        return value.booleanValue();
    }

    boolean flag(boolean fallback) throws IOException {
        return isAbsent() ? fallback : flag();
    }

    /** A text without unpaired surrogates, which UTF-8 cannot encode. */
    String text() throws IOException {
        require(value.isTextual(), "a text");
        return checked(value.textValue());
    }

    String text(String fallback) throws IOException {
        return isAbsent() ? fallback : text();
    }

    /** The same text, unless it has an unpaired surrogate. */
    String checked(String text) throws IOException {
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw error("has half a surrogate pair, which is no character");
        }
        return text;
    }

    /** A text of one character, possibly outside the basic plane. */
    String character() throws IOException {
        String text = text();
        require(text.codePointCount(0, text.length()) == 1, "one character");
        return text;
    }

    String oneOf(List<String> allowed) throws IOException {
        require(value.isTextual() && allowed.contains(value.textValue()), "one of " + String.join(", ", allowed));
        return value.textValue();
    }

    /** A whole number within limits. */
    int integer(int min, int max) throws IOException {
        require(
                value.isIntegralNumber()
                        && value.canConvertToInt()
                        && value.intValue() >= min
                        && value.intValue() <= max,
                "a whole number from " + min + " to " + max);
        return value.intValue();
    }

    int integer(int min, int max, int fallback) throws IOException {
        return isAbsent() ? fallback : integer(min, max);
    }
}

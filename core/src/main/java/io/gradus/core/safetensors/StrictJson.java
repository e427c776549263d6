package io.gradus.core.safetensors;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Parses JSON documents that must have exactly the expected form. A value of the wrong kind, a duplicate name, bytes that are not
 * UTF-8, or content after the document is an error.
 */
final class StrictJson {
    /** The greatest accepted nesting depth, far above that of any checkpoint. */
    private static final int MAX_DEPTH = 64;

    /** The longest accepted name or number; real tensor names have fewer than 200 characters. */
    private static final int MAX_NAME = 10_000;

    private final Path file;
    private final JsonParser parser;

    private StrictJson(Path file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /** Reads the parser's current value. */
    @FunctionalInterface
    interface MemberReader {
        void read(StrictJson json, String name) throws IOException;
    }

    /** Reads an element of an array. */
    @FunctionalInterface
    interface ElementReader {
        void read(StrictJson json) throws IOException;
    }

    /**
     * Reads a document that consists of one object.
     *
     * @param file for errors
     * @param what the document's name in errors: "header"
     * @throws SafetensorsException if it is not JSON, not UTF-8, or not of the expected form
     */
    static void readObject(Path file, String what, InputStream input, MemberReader member) throws IOException {
        JsonFactory factory = JsonFactory.builder()
                // Names are untrusted: do not cache or intern them.
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNameLength(MAX_NAME)
                        .maxNumberLength(100)
                        .build())
                .build();
        // Jackson's own decoder would detect UTF-16 and accept some malformed bytes.
        Reader reader = new InputStreamReader(
                input,
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT));
        try (JsonParser parser = factory.createParser(reader)) {
            StrictJson json = new StrictJson(file, parser);
            parser.nextToken();
            json.object("the " + what, member);
            if (parser.nextToken() != null) {
                throw json.unexpected("the " + what, "nothing after its closing brace");
            }
        } catch (CharacterCodingException e) {
            throw withCause(SafetensorsException.damaged(file, "the " + what + " is not UTF-8"), e);
        } catch (JacksonException e) {
            throw withCause(
                    SafetensorsException.damaged(
                            file, "the " + what + " is not valid JSON (" + JsonProblem.of(e) + ")"),
                    e);
        }
    }

    /** Reads the members of the parser's current object. */
    void object(String where, MemberReader member) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw unexpected(where, "an object");
        }
        Set<String> seen = new HashSet<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            if (!seen.add(name)) {
                throw SafetensorsException.damaged(file, where + " has the name '" + shorten(name) + "' twice");
            }
            parser.nextToken();
            member.read(this, name);
        }
    }

    /** Reads the elements of the parser's current array. */
    void array(String where, ElementReader element) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw unexpected(where, "an array");
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            element.read(this);
        }
    }

    /** The parser's current string. */
    String string(String where) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw unexpected(where, "a string");
        }
        return parser.getText();
    }

    /** The parser's current integer, which must not be negative. */
    long count(String where) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw unexpected(where, "a whole number");
        }
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER || parser.getLongValue() < 0) {
            throw SafetensorsException.damaged(
                    file, where + " is " + shorten(parser.getText()) + ", which is negative or above 2^63 - 1");
        }
        return parser.getLongValue();
    }

    /** Skips the parser's current value. */
    void skip() throws IOException {
        parser.skipChildren();
    }

    private SafetensorsException unexpected(String where, String wanted) {
        JsonToken token = parser.currentToken();
        String found = switch (token) {
            case null -> "nothing";
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT -> "a whole number";
            case VALUE_NUMBER_FLOAT -> "a fraction";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            case VALUE_NULL -> "null";
            default -> "a value";
        };
        return SafetensorsException.damaged(file, where + " should be " + wanted + " and is " + found);
    }

    /** The beginning of a name that may be very long. */
    static String shorten(String name) {
        return name.length() <= 200 ? name : name.substring(0, 200) + "… (" + name.length() + " characters)";
    }

    private static SafetensorsException withCause(SafetensorsException exception, Exception cause) {
        exception.initCause(cause);
        return exception;
    }
}

package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code decoder} of a {@code tokenizer.json}, which turns the texts of tokens into a text. It runs in Java, because the native
 * library ends the process on a token that the decoder does not expect.
 */
final class TokenDecoder {
    private static final int MAX_DEPTH = 8;
    private static final Pattern BYTE = Pattern.compile("<0x([0-9A-Fa-f]{2})>");

    private final UnaryOperator<List<String>> steps;

    private TokenDecoder(UnaryOperator<List<String>> steps) {
        this.steps = steps;
    }

    /** Checks and reads a decoder. Without one, a space is between tokens. */
    static TokenDecoder read(JsonPart part) throws IOException {
        return new TokenDecoder(part.isAbsent() ? tokens -> List.of(String.join(" ", tokens)) : read(part, 0));
    }

    /** The text of tokens. */
    String decode(List<String> tokens) {
        return String.join("", steps.apply(tokens));
    }

    private static UnaryOperator<List<String>> read(JsonPart part, int depth) throws IOException {
        return switch (part.object().get("type").text()) {
            case "Sequence" -> sequence(part, depth);
            case "Fuse" -> tokens -> List.of(String.join("", tokens));
            case "ByteLevel" -> tokens -> List.of(ByteLevelAlphabet.decode(tokens));
            case "ByteFallback" -> TokenDecoder::joinBytes;
            case "Replace" -> {
                JsonPart pattern = part.get("pattern").object();
                pattern.get("Regex").require(pattern.get("Regex").isAbsent(), "a String in a decoder");
                String replaced = nonEmpty(pattern.get("String"));
                String content = part.get("content").text();
                yield each((i, token) -> token.replace(replaced, content));
            }
            case "Strip" -> {
                String content = part.get("content").character();
                int start = part.get("start").integer(0, Integer.MAX_VALUE);
                int stop = part.get("stop").integer(0, Integer.MAX_VALUE);
                yield each((i, token) -> strip(token, content, start, stop));
            }
            case "Metaspace" -> {
                PipelineCheck.metaspace(part, JsonNodeFactory.instance.objectNode());
                String space = part.get("replacement").text();
                boolean isPrepended = !part.get("prepend_scheme").text("always").equals("never");
                yield each((i, token) -> token.replace(space, i == 0 && isPrepended ? "" : " "));
            }
            case "WordPiece" -> {
                String prefix = part.get("prefix").text();
                boolean cleanup = part.get("cleanup").flag();
                yield each((i, token) -> {
                    boolean continues = token.startsWith(prefix);
                    String text = i == 0 ? token : continues ? token.substring(prefix.length()) : " " + token;
                    return cleanup ? withoutArtifacts(text) : text;
                });
            }
            case "BPEDecoder" -> {
                String suffix = nonEmpty(part.get("suffix"));
                yield tokens -> apply(tokens, (i, token) -> token.replace(suffix, i == tokens.size() - 1 ? "" : " "));
            }
            default -> throw PipelineCheck.unknown(part, "decoder");
        };
    }

    private static UnaryOperator<List<String>> sequence(JsonPart part, int depth) throws IOException {
        part.require(depth < MAX_DEPTH, "nested at most " + MAX_DEPTH + " deep");
        List<UnaryOperator<List<String>>> steps = new ArrayList<>();
        for (JsonPart inner : part.get("decoders").list()) {
            steps.add(read(inner, depth + 1));
        }
        return tokens -> {
            List<String> texts = tokens;
            for (UnaryOperator<List<String>> step : steps) {
                texts = step.apply(texts);
            }
            return texts;
        };
    }

    private static String nonEmpty(JsonPart part) throws IOException {
        String text = part.text();
        part.require(!text.isEmpty(), "at least one character");
        return text;
    }

    /** What happens to a token at an index. */
    private interface Step {
        String apply(int index, String token);
    }

    private static UnaryOperator<List<String>> each(Step step) {
        return tokens -> apply(tokens, step);
    }

    private static List<String> apply(List<String> tokens, Step step) {
        List<String> texts = new ArrayList<>(tokens.size());
        for (String token : tokens) {
            texts.add(step.apply(texts.size(), token));
        }
        return texts;
    }

    /** Removes a character from the start and the end of a text, a limited number of times. */
    private static String strip(String text, String character, int start, int stop) {
        int from = 0;
        for (int i = 0; i < start && text.startsWith(character, from); i++) {
            from += character.length();
        }
        int to = text.length();
        for (int i = 0; i < stop && to > from && text.startsWith(character, to - character.length()); i++) {
            to -= character.length();
        }
        return text.substring(from, to);
    }

    /** Joins runs of tokens such as {@code <0xE2>}. Where a run is not UTF-8, each token becomes U+FFFD. */
    private static List<String> joinBytes(List<String> tokens) {
        List<String> texts = new ArrayList<>();
        ByteArrayOutputStream run = new ByteArrayOutputStream();
        for (String token : tokens) {
            Matcher matcher = BYTE.matcher(token);
            if (matcher.matches()) {
                run.write(Integer.parseInt(matcher.group(1), 16));
            } else {
                endRun(run, texts);
                texts.add(token);
            }
        }
        endRun(run, texts);
        return texts;
    }

    private static void endRun(ByteArrayOutputStream run, List<String> texts) {
        if (run.size() > 0) {
            String text = run.toString(StandardCharsets.UTF_8);
            boolean isUtf8 = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), run.toByteArray());
            texts.add(isUtf8 ? text : "\uFFFD".repeat(run.size()));
            run.reset();
        }
    }

    /** Removes the spaces that splitting put before punctuation and in English contractions. */
    private static String withoutArtifacts(String text) {
        return text.replace(" .", ".")
                .replace(" ?", "?")
                .replace(" !", "!")
                .replace(" ,", ",")
                .replace(" ' ", "'")
                .replace(" n't", "n't")
                .replace(" 'm", "'m")
                .replace(" do not", " don't")
                .replace(" 's", "'s")
                .replace(" 've", "'ve")
                .replace(" 're", "'re");
    }
}

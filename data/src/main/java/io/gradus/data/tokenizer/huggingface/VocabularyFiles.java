package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Tokenizers from before {@code tokenizer.json}: {@code vocab.json} has the tokens and their ids, and {@code merges.txt} the merges of
 * byte-pair encoding (Sennrich et al. 2016), one per line, in order; or {@code vocab.txt} has the tokens of WordPiece, one per line.
 */
final class VocabularyFiles {
    private VocabularyFiles() {}

    /** Whether a class can be built from the files. */
    static boolean suffice(TransformersClass rules, TokenizerFiles files) {
        return switch (rules) {
            case GPT2, GPT_NEOX, QWEN2, ROBERTA -> files.has(TokenizerFiles.VOCABULARY);
            case BERT, DISTILBERT -> files.has(TokenizerFiles.WORDS);
            case QWEN3_5, LLAMA, GEMMA, T5, XLM_ROBERTA -> false; // transformers reads other files
        };
    }

    /** A {@code tokenizer.json} with a model only. */
    static ObjectNode tokenizerJson(TransformersClass rules, TokenizerFiles files) throws IOException {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("version", "1.0");
        ObjectNode model = json.putObject("model").put("type", rules.modelType());
        if (rules.modelType().equals("BPE")) {
            model.set("vocab", files.json(TokenizerFiles.VOCABULARY));
            model.set("merges", merges(files));
        } else {
            model.set("vocab", words(files));
        }
        return json;
    }

    private static List<String> lines(TokenizerFiles files, String name) {
        byte[] content = files.contents().getOrDefault(name, new byte[0]);
        return new String(content, StandardCharsets.UTF_8).lines().toList();
    }

    private static ArrayNode merges(TokenizerFiles files) throws IOException {
        if (!files.has(TokenizerFiles.MERGES)) {
            throw new IOException(files.folder() + ": it has a " + TokenizerFiles.VOCABULARY + " but no "
                    + TokenizerFiles.MERGES + "; copy the tokenizer files of the base model");
        }
        ArrayNode merges = JsonNodeFactory.instance.arrayNode();
        List<String> lines = lines(files, TokenizerFiles.MERGES);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isEmpty() || line.startsWith("#version")) {
                continue;
            }
            if (!line.matches("[^ ]+ [^ ]+")) {
                throw new IOException(files.path(TokenizerFiles.MERGES) + ": line " + (i + 1) + " is '" + line
                        + "', not two tokens with a space between; download or copy it again");
            }
            merges.add(line);
        }
        return merges;
    }

    private static ObjectNode words(TokenizerFiles files) {
        ObjectNode words = JsonNodeFactory.instance.objectNode();
        int id = 0;
        for (String line : lines(files, TokenizerFiles.WORDS)) {
            words.put(line.stripTrailing(), id++);
        }
        return words;
    }
}

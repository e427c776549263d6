package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A chat template in a tokenizer's files.
 *
 * @param text in Jinja
 * @param file that has it
 */
public record ChatTemplateText(String text, String file) {
    private static final String SETTING = "chat_template";
    private static final String USUAL = "default";
    private static final String SUFFIX = ".jinja";

    /**
     * The templates of a tokenizer by name, as transformers 5 reads them: {@code chat_template.jinja}, whose name is
     * {@code default}, and the files in {@code additional_chat_templates}; or else the setting {@code chat_template} of
     * {@code tokenizer_config.json}, which is one text, or a list of names and texts.
     *
     * @throws IOException if a file is malformed; the message names it
     */
    static Map<String, ChatTemplateText> read(TokenizerFiles files) throws IOException {
        Map<String, ChatTemplateText> templates = new LinkedHashMap<>();
        if (files.has(TokenizerFiles.CHAT_TEMPLATE)) {
            templates.put(USUAL, file(files, TokenizerFiles.CHAT_TEMPLATE));
        }
        for (String file : files.contents().keySet()) {
            if (file.startsWith(TokenizerFiles.CHAT_TEMPLATES)) {
                String name = file.substring(TokenizerFiles.CHAT_TEMPLATES.length(), file.length() - SUFFIX.length());
                templates.put(name, file(files, file));
            }
        }
        if (!templates.isEmpty()) {
            return templates;
        }
        JsonNode setting = files.json(TokenizerFiles.TOKENIZER_CONFIG).path(SETTING);
        if (setting.isTextual()) {
            return Map.of(USUAL, ofConfig(files, setting));
        }
        if (setting.isObject()) {
            for (Map.Entry<String, JsonNode> entry : setting.properties()) {
                templates.put(entry.getKey(), ofConfig(files, entry.getValue()));
            }
        } else if (!setting.isMissingNode() && !setting.isNull()) {
            for (JsonNode entry : setting.isArray() ? setting : List.of(setting)) {
                JsonNode name = entry.path("name");
                if (!name.isTextual()) {
                    throw malformed(files);
                }
                templates.put(name.textValue(), ofConfig(files, entry.path("template")));
            }
        }
        return templates;
    }

    private static ChatTemplateText file(TokenizerFiles files, String name) throws IOException {
        return new ChatTemplateText(files.text(name), files.path(name).toString());
    }

    private static ChatTemplateText ofConfig(TokenizerFiles files, JsonNode text) throws IOException {
        if (!text.isTextual()) {
            throw malformed(files);
        }
        String place = files.path(TokenizerFiles.TOKENIZER_CONFIG) + ", " + SETTING;
        return new ChatTemplateText(text.textValue(), place);
    }

    private static IOException malformed(TokenizerFiles files) {
        return new IOException(files.path(TokenizerFiles.TOKENIZER_CONFIG) + ": " + SETTING
                + " must be a text, or a list of objects with a name and a template");
    }
}

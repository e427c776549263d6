package io.gradus.nn.model.gemma;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.decoder.DecoderSettings;

/** How all Gemmas read and check keys of {@code config.json} that other families do not have. */
final class GemmaKeys {
    private GemmaKeys() {}

    /** Checks the sizes of attention, beyond what all decoders require. */
    static void requireHeads(DecoderSettings settings, int queryPreAttnScalar) {
        require(
                settings.hiddenSize() % settings.numAttentionHeads() == 0,
                "hidden_size is " + settings.hiddenSize() + ", which is not a multiple of num_attention_heads, "
                        + settings.numAttentionHeads());
        requirePositive("query_pre_attn_scalar", queryPreAttnScalar);
    }

    /** A bound under a key; 0 if it is null. */
    static double softcap(ConfigJson json, String key, double missing) {
        if (json.mentions(key) && !json.has(key)) {
            return 0;
        }
        double softcap = json.number(key, missing);
        require(
                !json.has(key) || (softcap > 0 && Double.isFinite(softcap)),
                key + " is " + softcap + "; it must be above 0, or null");
        return softcap;
    }
}

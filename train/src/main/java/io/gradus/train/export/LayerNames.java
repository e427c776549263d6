package io.gradus.train.export;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of weights in GGUF files: {@code blk.3.attn_q.weight} for {@code model.layers.3.self_attn.q_proj.weight}.
 *
 * @param layers what is in front of the number of a layer in the network
 * @param inLayers the name in the file of each module of a layer
 * @param others the name of each other module
 */
record LayerNames(String layers, Map<String, String> inLayers, Map<String, String> others) {
    private static final Pattern NUMBERED = Pattern.compile("(\\d+)\\.(.*)");

    /** The name in the file of a weight or bias. */
    String of(String parameter) {
        int dot = parameter.lastIndexOf('.');
        String module = parameter.substring(0, dot);
        String known = others.get(module);
        if (known == null && module.startsWith(layers)) {
            Matcher layer = NUMBERED.matcher(module.substring(layers.length()));
            String inLayer = layer.matches() ? inLayers.get(layer.group(2)) : null;
            known = inLayer == null ? null : "blk." + layer.group(1) + "." + inLayer;
        }
        if (known == null) {
            throw new IllegalStateException("export gguf: the weight '" + parameter + "' has no name in GGUF");
        }
        return known + parameter.substring(dot);
    }
}

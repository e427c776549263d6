package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import java.util.Collection;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The depth of a parameter in the network, from its Hugging Face name: 0 for embeddings; n + 1 for block n
 * ({@code model.layers.3.mlp.up_proj.weight} in Llama, {@code transformer.h.3.attn.c_attn.weight} in GPT-2,
 * {@code bert.encoder.layer.3.output.dense.weight} in BERT, {@code rnns.1.weight_ih_l0} in AWD-LSTM); and one more than the last block for everything else, which is
 * the final norm and the head.
 *
 * <p>A head that shares its matrix with the embeddings is one parameter with the name of the embeddings, so its depth is 0.
 *
 * @param blocks the number of blocks
 */
public record LayerDepth(int blocks) implements ToIntFunction<String> {
    private static final Pattern BLOCK = Pattern.compile("(?:^|\\.)(?:layers|layer|h|blocks|rnns)\\.(\\d{1,6})\\.");
    private static final Pattern EMBEDDING = Pattern.compile(
            "(?:^|\\.)(?:embed_tokens|embed_positions|embeddings|wte|wpe|encoder(?=\\.weight$))(?:\\.|$)");

    /**
     * The depths for the parameters of a model.
     *
     * @throws IllegalArgumentException if no name contains a block number
     */
    public static LayerDepth of(Collection<Variable> parameters) {
        OptionalInt last = parameters.stream()
                .map(ParameterGroup::nameOf)
                .mapToInt(LayerDepth::block)
                .filter(block -> block >= 0)
                .max();
        if (last.isEmpty()) {
            throw new IllegalArgumentException("layer depth: no parameter name contains a block number, as in"
                    + " model.layers.3.mlp.up_proj.weight; pass your own function from name to depth. The names are "
                    + Names.few(parameters.stream().map(ParameterGroup::nameOf).toList()));
        }
        return new LayerDepth(last.getAsInt() + 1);
    }

    /** The depth of the head: the greatest. */
    public int top() {
        return blocks + 1;
    }

    /** The depth of the parameter with this name, from 0 to {@link #top()}. */
    @Override
    public int applyAsInt(String name) {
        int block = block(name);
        if (block >= 0) {
            return block + 1;
        }
        return EMBEDDING.matcher(name).find() ? 0 : top();
    }

    private static int block(String name) {
        Matcher matcher = BLOCK.matcher(name);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : -1;
    }
}

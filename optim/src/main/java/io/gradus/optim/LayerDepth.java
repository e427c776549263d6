package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.Collection;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far a parameter stands from the input, told by its Hugging Face name: 0 for the embeddings, n + 1 for what belongs
 * to block n ({@code model.layers.3.mlp.up_proj.weight} of Llama, {@code transformer.h.3.attn.c_attn.weight} of GPT-2,
 * {@code bert.encoder.layer.3.output.dense.weight} of BERT), and one above the last block for the rest: the final norm and
 * the head.
 *
 * <p>A head that shares its matrix with the embeddings is one parameter, and stands where its name puts it: at 0.
 *
 * @param blocks the number of blocks
 */
public record LayerDepth(int blocks) implements ToIntFunction<String> {
    private static final Pattern BLOCK = Pattern.compile("(?:^|\\.)(?:layers|layer|h|blocks)\\.(\\d{1,6})\\.");
    private static final Pattern EMBEDDING =
            Pattern.compile("(?:^|\\.)(?:embed_tokens|embed_positions|embeddings|wte|wpe)(?:\\.|$)");

    /**
     * The depths of a model.
     *
     * @throws IllegalArgumentException when no name has the number of a block
     */
    public static LayerDepth of(Collection<Variable> parameters) {
        OptionalInt last = parameters.stream()
                .map(ParameterGroup::nameOf)
                .mapToInt(LayerDepth::block)
                .filter(block -> block >= 0)
                .max();
        if (last.isEmpty()) {
            throw new IllegalArgumentException("layer depth: no parameter's name has the number of a block, as in"
                    + " model.layers.3.mlp.up_proj.weight; give a depth of your own by name. The names are "
                    + Names.few(parameters.stream().map(ParameterGroup::nameOf).toList()));
        }
        return new LayerDepth(last.getAsInt() + 1);
    }

    /** The depth of the head, which is the greatest. */
    public int top() {
        return blocks + 1;
    }

    /** The depth of the parameter of that name, 0 to {@link #top()}. */
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

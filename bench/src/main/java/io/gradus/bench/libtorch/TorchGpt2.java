package io.gradus.bench.libtorch;

import static io.gradus.bench.libtorch.LibTorch.function;

import io.gradus.nn.model.gpt2.Gpt2Config;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.LayerNormImpl;
import org.bytedeco.pytorch.LayerNormOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * GPT-2 in idiomatic libtorch: {@code Embedding}, {@code LayerNorm} and {@code Linear} modules,
 * {@code scaled_dot_product_attention}, {@code gelu} with {@code tanh}, and tied input and output embeddings.
 */
public final class TorchGpt2 extends TorchModel {
    private final EmbeddingImpl tokens;
    private final EmbeddingImpl positions;
    private final List<Block> blocks;
    private final LayerNormImpl norm;

    public TorchGpt2(Gpt2Config c) {
        tokens = new EmbeddingImpl(c.vocabSize(), c.nEmbd());
        own("transformer.wte.weight", tokens.weight());
        positions = new EmbeddingImpl(c.nPositions(), c.nEmbd());
        own("transformer.wpe.weight", positions.weight());
        blocks = IntStream.range(0, c.nLayer()).mapToObj(i -> new Block(c, i)).toList();
        norm = norm("transformer.ln_f", c);
    }

    /** Weights of linear layers are {@code [out, in]} here and {@code [in, out]} in GPT-2's files ("Conv1D"). */
    @Override
    public boolean isTransposed(String name) {
        return name.endsWith(".weight")
                && (name.contains(".c_attn.") || name.contains(".c_proj.") || name.contains(".c_fc."));
    }

    @Override
    public Tensor forward(Tensor ids) {
        return function(() -> {
            Tensor places = torch.arange(new Scalar(ids.size(1)), ids.options());
            Tensor x = tokens.forward(ids).add(positions.forward(places));
            for (Block block : blocks) {
                x = block.forward(x);
            }
            return torch.linear(norm.forward(x), tokens.weight());
        });
    }

    private LayerNormImpl norm(String name, Gpt2Config c) {
        LayerNormOptions options = new LayerNormOptions(new LongVector(new long[] {c.nEmbd()}));
        options.eps().put(c.layerNormEpsilon());
        LayerNormImpl norm = new LayerNormImpl(options);
        own(name + ".weight", norm.weight());
        own(name + ".bias", norm.bias());
        return norm;
    }

    private LinearImpl linear(String name, long in, long out) {
        LinearImpl linear = new LinearImpl(in, out);
        own(name + ".weight", linear.weight());
        own(name + ".bias", linear.bias());
        return linear;
    }

    /** A transformer block. */
    private final class Block {
        private final int heads;
        private final LayerNormImpl attentionNorm;
        private final LinearImpl queriesKeysValues;
        private final LinearImpl attentionOutput;
        private final LayerNormImpl feedForwardNorm;
        private final LinearImpl up;
        private final LinearImpl down;

        Block(Gpt2Config c, int layer) {
            String name = "transformer.h." + layer;
            int width = c.nEmbd();
            heads = c.nHead();
            attentionNorm = norm(name + ".ln_1", c);
            queriesKeysValues = linear(name + ".attn.c_attn", width, 3L * width);
            attentionOutput = linear(name + ".attn.c_proj", width, width);
            feedForwardNorm = norm(name + ".ln_2", c);
            up = linear(name + ".mlp.c_fc", width, 4L * width);
            down = linear(name + ".mlp.c_proj", 4L * width, width);
        }

        Tensor forward(Tensor x) {
            Tensor attended = function(() -> x.add(attention(attentionNorm.forward(x))));
            return function(() ->
                    attended.add(down.forward(torch.gelu(up.forward(feedForwardNorm.forward(attended)), "tanh"))));
        }

        private Tensor attention(Tensor x) {
            TensorVector parts = queriesKeysValues.forward(x).split(x.size(2), 2);
            Tensor y = torch.scaled_dot_product_attention(
                    perHead(parts.get(0)),
                    perHead(parts.get(1)),
                    perHead(parts.get(2)),
                    new TensorOptional(),
                    0.0,
                    true,
                    new DoubleOptional(),
                    false);
            return attentionOutput.forward(y.transpose(1, 2).contiguous().view(x.size(0), x.size(1), x.size(2)));
        }

        /** {@code [B, T, C]} to {@code [B, H, T, C/H]}. */
        private Tensor perHead(Tensor x) {
            return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
        }
    }
}

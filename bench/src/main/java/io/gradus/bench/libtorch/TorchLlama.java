package io.gradus.bench.libtorch;

import static io.gradus.bench.libtorch.LibTorch.function;

import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LinearOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Llama in idiomatic libtorch: {@code Embedding} and {@code Linear} modules, {@code rms_norm}, rotary embeddings from tables of
 * cosines and sines as in Hugging Face transformers, {@code scaled_dot_product_attention}, and tied input and output embeddings.
 */
public final class TorchLlama extends TorchModel {
    private final DecoderSettings config;
    private final EmbeddingImpl tokens;
    private final List<Block> blocks;
    private final Tensor norm;
    /** {@code [context, head]}: each angle twice, for the two halves of a head. */
    private final Tensor cosines;

    private final Tensor sines;

    public TorchLlama(LlamaConfig llama) {
        DecoderSettings c = llama.settings();
        if (!c.tieWordEmbeddings() || c.rope().scaling() != null || llama.attentionBias()) {
            throw new IllegalArgumentException(
                    "libtorch's Llama supports only tied embeddings, unscaled rotary angles and no biases");
        }
        config = c;
        tokens = new EmbeddingImpl(c.vocabSize(), c.hiddenSize());
        own("model.embed_tokens.weight", tokens.weight());
        blocks = IntStream.range(0, c.numHiddenLayers()).mapToObj(Block::new).toList();
        norm = norm("model.norm.weight");
        cosines = angles(true);
        sines = angles(false);
    }

    private Tensor angles(boolean cosine) {
        int width = config.headDim();
        float[] table = new float[config.maxPositionEmbeddings() * width];
        for (int i = 0; i < table.length; i++) {
            int place = i / width;
            double angle = place * Math.pow(config.rope().theta(), -2.0 * (i % (width / 2)) / width);
            table[i] = (float) (cosine ? Math.cos(angle) : Math.sin(angle));
        }
        return LibTorch.tensor(table, config.maxPositionEmbeddings(), width);
    }

    @Override
    public Tensor forward(Tensor ids) {
        return function(() -> {
            Tensor cos = cosines.narrow(0, 0, ids.size(1));
            Tensor sin = sines.narrow(0, 0, ids.size(1));
            Tensor x = tokens.forward(ids);
            for (Block block : blocks) {
                x = block.forward(x, cos, sin);
            }
            return torch.linear(normalized(x, norm), tokens.weight());
        });
    }

    private Tensor norm(String name) {
        return own(name, torch.ones(config.hiddenSize()).set_requires_grad(true));
    }

    private LinearImpl linear(String name, long in, long out) {
        LinearOptions options = new LinearOptions(in, out);
        options.bias().put(false);
        LinearImpl linear = new LinearImpl(options);
        own(name + ".weight", linear.weight());
        return linear;
    }

    private Tensor normalized(Tensor x, Tensor weight) {
        return torch.rms_norm(
                x, new long[] {config.hiddenSize()}, new TensorOptional(weight), new DoubleOptional(config.normEps()));
    }

    /** A transformer block. */
    private final class Block {
        private final Tensor inputNorm;
        private final LinearImpl queries;
        private final LinearImpl keys;
        private final LinearImpl values;
        private final LinearImpl output;
        private final Tensor postAttentionNorm;
        private final LinearImpl gate;
        private final LinearImpl up;
        private final LinearImpl down;

        Block(int layer) {
            DecoderSettings c = config;
            String name = "model.layers." + layer;
            long width = c.hiddenSize();
            long query = (long) c.numAttentionHeads() * c.headDim();
            long key = (long) c.numKeyValueHeads() * c.headDim();
            inputNorm = norm(name + ".input_layernorm.weight");
            queries = linear(name + ".self_attn.q_proj", width, query);
            keys = linear(name + ".self_attn.k_proj", width, key);
            values = linear(name + ".self_attn.v_proj", width, key);
            output = linear(name + ".self_attn.o_proj", query, width);
            postAttentionNorm = norm(name + ".post_attention_layernorm.weight");
            gate = linear(name + ".mlp.gate_proj", width, c.intermediateSize());
            up = linear(name + ".mlp.up_proj", width, c.intermediateSize());
            down = linear(name + ".mlp.down_proj", c.intermediateSize(), width);
        }

        Tensor forward(Tensor x, Tensor cos, Tensor sin) {
            Tensor attended = function(() -> x.add(attention(normalized(x, inputNorm), cos, sin)));
            return function(() -> {
                Tensor h = normalized(attended, postAttentionNorm);
                return attended.add(down.forward(torch.silu(gate.forward(h)).mul(up.forward(h))));
            });
        }

        private Tensor attention(Tensor x, Tensor cos, Tensor sin) {
            Tensor y = torch.scaled_dot_product_attention(
                    rotated(perHead(queries.forward(x)), cos, sin),
                    rotated(perHead(keys.forward(x)), cos, sin),
                    perHead(values.forward(x)),
                    new TensorOptional(),
                    0.0,
                    true,
                    new DoubleOptional(),
                    config.numKeyValueHeads() != config.numAttentionHeads());
            return output.forward(y.transpose(1, 2).contiguous().view(x.size(0), x.size(1), x.size(2)));
        }

        /** {@code [B, T, H·D]} to {@code [B, H, T, D]}. */
        private Tensor perHead(Tensor x) {
            return x.view(x.size(0), x.size(1), -1, config.headDim()).transpose(1, 2);
        }

        /** {@code x·cos + [−second half, first half]·sin}. */
        private Tensor rotated(Tensor x, Tensor cos, Tensor sin) {
            TensorVector halves = x.chunk(2, -1);
            Tensor turned = torch.cat(new TensorVector(halves.get(1).neg(), halves.get(0)), -1);
            return x.mul(cos).add(turned.mul(sin));
        }
    }
}

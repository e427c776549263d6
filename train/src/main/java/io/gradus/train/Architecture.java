package io.gradus.train;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.function.Function;

/**
 * What {@code config.json} describes: a network without weights.
 *
 * @param layers blocks
 * @param width of the model: the elements of a token between blocks
 * @param network builds it with weights of whatever source and device
 */
public record Architecture(int layers, int width, Function<WeightSource, LanguageModel> network) {

    public static Architecture of(LlamaConfig config) {
        return new Architecture(config.numHiddenLayers(), config.hiddenSize(), weights -> new Llama(config, weights));
    }

    public static Architecture of(Gpt2Config config) {
        return new Architecture(config.nLayer(), config.nEmbd(), weights -> new Gpt2(config, weights));
    }
}

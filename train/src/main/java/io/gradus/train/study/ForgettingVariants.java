package io.gradus.train.study;

import io.gradus.core.Device;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.ParameterGroups;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Countermeasures against forgetting, as changes to one recipe. The first variant is plain fine-tuning. */
final class ForgettingVariants {
    /** λ of L2-SP and of elastic weight consolidation. */
    private static final List<Integer> STRENGTHS = List.of(10, 100, 1000);

    private static final int STRENGTH_OF_EWC = 100;

    private ForgettingVariants() {}

    /**
     * All variants.
     *
     * @param known general text to replay, which is not evaluated
     */
    static List<Variant> of(Recipe recipe, ModelConfig config, Path known) {
        List<Variant> variants = new ArrayList<>();
        String text = "data.replay=" + known;
        variants.add(new Variant("plain", List.of()));
        variants.add(new Variant("a tenth of the rate", List.of("learning_rate=" + plain(recipe.learningRate() / 10))));
        variants.add(new Variant("replay 5%", List.of("data.replay_ratio=0.05", text)));
        variants.add(new Variant("replay 10%", List.of("data.replay_ratio=0.1", text)));
        for (int strength : STRENGTHS) {
            variants.add(new Variant("L2-SP, λ = " + strength, List.of("l2_sp=" + strength)));
        }
        variants.add(new Variant("EWC, λ = " + STRENGTH_OF_EWC, List.of("ewc=" + STRENGTH_OF_EWC, text)));
        variants.add(new Variant(
                "layer-wise rates, ξ = " + ParameterGroups.XI,
                List.of("layer_decay=" + plain(1 / ParameterGroups.XI))));
        variants.add(new Variant("lower half frozen", List.of("freeze=" + String.join(",", lowerHalf(config)))));
        variants.add(new Variant("WiSE-FT, α = 0.5", List.of("wise_ft_alpha=0.5")));
        return List.copyOf(variants);
    }

    /** Four significant digits, without an exponent. */
    private static String plain(double value) {
        return new BigDecimal(value)
                .round(new MathContext(4))
                .stripTrailingZeros()
                .toPlainString();
    }

    /** Name patterns of the embeddings and of the lower half of the blocks. */
    static List<String> lowerHalf(ModelConfig config) {
        LanguageModel model = config.build(WeightSource.random(Device.meta(), 0));
        LayerDepth depth = LayerDepth.of(model.parameters());
        return model.namedParameters().keySet().stream()
                .filter(name -> depth.applyAsInt(name) <= depth.blocks() / 2)
                .map(name -> name.replaceFirst("\\.(\\d+)\\..*", ".$1.*"))
                .distinct()
                .toList();
    }
}

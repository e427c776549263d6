package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Applies layers one after another, like {@code torch.nn.Sequential}. Functions without parameters can be given as method
 * references. The parameters of layer i are named {@code i.weight} and so on, counting functions too.
 *
 * {@snippet :
 * Sequential network = new Sequential(new Linear(8, 16), Activation.RELU, new Linear(16, 4));
 * Variable y = network.forward(Variable.constant(Tensor.of(new float[3 * 8], 3, 8))); // [3, 4]
 * Set<String> names = network.namedParameters().keySet(); // 0.weight, 0.bias, 2.weight, 2.bias
 * }
 */
public final class Sequential extends Module implements Layer {
    private final List<Layer> layers;

    /** Registers the layers that are modules. */
    public Sequential(Layer... layers) {
        this.layers = List.of(layers);
        for (int i = 0; i < layers.length; i++) {
            if (layers[i] instanceof Module module) {
                register(Integer.toString(i), module);
            }
        }
    }

    @Override
    public Variable forward(Variable x) {
        for (Layer layer : layers) {
            x = layer.forward(x);
        }
        return x;
    }

    @Override
    Map<String, Object> parts() {
        Map<String, Object> parts = new LinkedHashMap<>();
        for (Layer layer : layers) {
            boolean isNamed = layer instanceof Module || layer instanceof Activation;
            parts.put(Integer.toString(parts.size()), isNamed ? layer : "Layer()");
        }
        return parts;
    }
}

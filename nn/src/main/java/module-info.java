/** Layers, losses, initializers, weights, text generation and the model families. */
module io.gradus.nn {
    requires transitive io.gradus.autograd;
    requires transitive com.fasterxml.jackson.databind;

    exports io.gradus.nn;
    exports io.gradus.nn.generate;
    exports io.gradus.nn.model;
    exports io.gradus.nn.model.gpt2;
    exports io.gradus.nn.model.llama;
}

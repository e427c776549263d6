import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.gpt2.Gpt2Family;
import io.gradus.nn.model.llama.LlamaFamily;

/** Layers, losses, initializers, weights, text generation and the model families. */
module io.gradus.nn {
    requires transitive io.gradus.autograd;
    requires com.fasterxml.jackson.databind;

    exports io.gradus.nn;
    exports io.gradus.nn.generate;
    exports io.gradus.nn.model;
    exports io.gradus.nn.model.gpt2;
    exports io.gradus.nn.model.llama;

    uses ModelFamily;

    provides ModelFamily with
            Gpt2Family,
            LlamaFamily;
}

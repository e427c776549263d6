import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.awdlstm.AwdLstmFamily;
import io.gradus.nn.model.bert.BertFamily;
import io.gradus.nn.model.distilbert.DistilBertFamily;
import io.gradus.nn.model.gemma.Gemma2Family;
import io.gradus.nn.model.gemma.Gemma3Family;
import io.gradus.nn.model.gpt2.Gpt2Family;
import io.gradus.nn.model.gptneox.GptNeoXFamily;
import io.gradus.nn.model.granite.GraniteFamily;
import io.gradus.nn.model.llama.LlamaFamily;
import io.gradus.nn.model.modernbert.ModernBertFamily;
import io.gradus.nn.model.olmo2.Olmo2Family;
import io.gradus.nn.model.phi3.Phi3Family;
import io.gradus.nn.model.qwen3.Qwen3Family;
import io.gradus.nn.model.smollm3.SmolLm3Family;

/** Layers, losses, initializers, weights, text generation and the model families. */
module io.gradus.nn {
    requires transitive io.gradus.autograd;
    requires com.fasterxml.jackson.databind;

    exports io.gradus.nn;
    exports io.gradus.nn.generate;
    exports io.gradus.nn.model;
    exports io.gradus.nn.model.awdlstm;
    exports io.gradus.nn.model.bert;
    exports io.gradus.nn.model.decoder;
    exports io.gradus.nn.model.distilbert;
    exports io.gradus.nn.model.encoder;
    exports io.gradus.nn.model.gemma;
    exports io.gradus.nn.model.gpt2;
    exports io.gradus.nn.model.gptneox;
    exports io.gradus.nn.model.granite;
    exports io.gradus.nn.model.llama;
    exports io.gradus.nn.model.modernbert;
    exports io.gradus.nn.model.olmo2;
    exports io.gradus.nn.model.phi3;
    exports io.gradus.nn.model.qwen3;
    exports io.gradus.nn.model.smollm3;

    uses ModelFamily;

    provides ModelFamily with
            AwdLstmFamily,
            BertFamily,
            DistilBertFamily,
            Gemma2Family,
            Gemma3Family,
            Gpt2Family,
            GptNeoXFamily,
            GraniteFamily,
            LlamaFamily,
            ModernBertFamily,
            Olmo2Family,
            Phi3Family,
            Qwen3Family,
            SmolLm3Family;
}

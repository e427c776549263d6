/** Datasets, tokenizers, chat templates and packing. */
module io.gradus.data {
    requires transitive io.gradus.nn;
    requires ai.djl.api;
    requires ai.djl.tokenizers;
    requires com.fasterxml.jackson.databind;

    exports io.gradus.data;
    exports io.gradus.data.chat;
    exports io.gradus.data.serve;
    exports io.gradus.data.tokenizer;
}

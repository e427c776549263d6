/** Full fine-tuning from a recipe, with checkpoints, guards, a memory plan, weight differences and studies. */
module io.gradus.train {
    requires transitive io.gradus.data;
    requires transitive io.gradus.optim;
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.dataformat.yaml;

    exports io.gradus.train;
    exports io.gradus.train.delta;
    exports io.gradus.train.memory;
    exports io.gradus.train.study;
}

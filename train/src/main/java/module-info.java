/** Full fine-tuning from a recipe, with checkpoints, guards, a memory plan, weight differences and studies. */
module io.gradus.train {
    requires transitive io.gradus.data;
    requires transitive io.gradus.optim;
    requires transitive io.gradus.parallel;
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.dataformat.yaml;
    requires java.management;
    requires org.yaml.snakeyaml;

    exports io.gradus.train;
    exports io.gradus.train.delta;
    exports io.gradus.train.export;
    exports io.gradus.train.guard;
    exports io.gradus.train.memory;
    exports io.gradus.train.recipe;
    exports io.gradus.train.study;
    exports io.gradus.train.task;

    opens io.gradus.train.checkpoint to
            com.fasterxml.jackson.databind;
    opens io.gradus.train.guard to
            com.fasterxml.jackson.databind;
    opens io.gradus.train.recipe to
            com.fasterxml.jackson.databind;
}

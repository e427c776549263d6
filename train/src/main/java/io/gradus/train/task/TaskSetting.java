package io.gradus.train.task;

import io.gradus.nn.model.ModelFolder;
import io.gradus.train.recipe.Recipe;
import java.util.function.Consumer;

/**
 * What a task knows of its run when it is opened.
 *
 * @param base the folder of the model to start from
 * @param progress is called with a stage that may take long, such as {@code reading the text}
 */
public record TaskSetting(Recipe recipe, ModelFolder base, Consumer<String> progress) {}

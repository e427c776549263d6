package io.gradus.nn.model;

import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/**
 * A family of networks, such as Llama or GPT-2, found by the {@code model_type} of {@code config.json}.
 *
 * <p>To add a family, implement this interface with a public constructor without parameters, and name the class in
 * {@code META-INF/services/io.gradus.nn.model.ModelFamily} (on the module path: {@code provides} it in
 * {@code module-info.java}). Loading, saving, fine-tuning, generation and memory planning then work with it. A family is
 * usually three classes: this one, a record that implements {@link ModelConfig}, and a {@link LanguageModel}.
 */
public interface ModelFamily {
    /** The values of {@code model_type} that this family reads. */
    Set<String> modelTypes();

    /**
     * Reads a configuration. The keys read here are the ones that the family honors; a warning at loading names the others.
     *
     * @throws IllegalArgumentException if a value is missing or not supported; names the key
     */
    ModelConfig read(ConfigJson config);

    /**
     * The table of the keys of {@code config.json} that this family knows, if it has one. A reader can check a configuration
     * against it with {@link ConfigKey#check}.
     *
     * @param modelType one of {@link #modelTypes}
     */
    default List<ConfigKey> keys(String modelType) {
        return List.of();
    }

    /**
     * The family that reads a configuration, by its {@code model_type}.
     *
     * @throws IllegalArgumentException if {@code model_type} is missing, or if no family or more than one reads it
     */
    static ModelFamily of(ConfigJson config) {
        List<ModelFamily> families = ServiceLoader.load(ModelFamily.class).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
        Set<String> known = new TreeSet<>();
        families.forEach(family -> known.addAll(family.modelTypes()));
        String list = String.join(", ", known);
        ConfigJson.require(config.has("model_type"), "model_type is missing; known types are " + list);
        String type = config.text("model_type", "");
        List<ModelFamily> found = families.stream()
                .filter(family -> family.modelTypes().contains(type))
                .toList();
        ConfigJson.require(
                !found.isEmpty(),
                "model_type is '" + type + "'; known types are " + list + "; to add one, implement "
                        + ModelFamily.class.getName() + " and name the class in META-INF/services/"
                        + ModelFamily.class.getName());
        ConfigJson.require(
                found.size() == 1,
                "model_type '" + type + "' is read by two families, "
                        + found.getFirst().getClass().getName() + " and "
                        + found.getLast().getClass().getName() + "; remove one from the class path");
        return found.getFirst();
    }
}

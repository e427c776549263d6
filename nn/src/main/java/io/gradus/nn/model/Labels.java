package io.gradus.nn.model;

import static io.gradus.nn.model.ConfigJson.require;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The labels of a classifier, in the order of its scores: {@code id2label} and {@code label2id} of {@code config.json}.
 *
 * @param names at least one, all different
 * @param problemType what the scores of a sequence mean; of no effect for the classification of tokens
 */
public record Labels(List<String> names, ProblemType problemType) {

    public Labels {
        names = List.copyOf(names);
        if (names.isEmpty()) {
            throw new IllegalArgumentException("labels: a classifier needs at least one");
        }
        if (names.stream().distinct().count() < names.size()) {
            throw new IllegalArgumentException("labels: " + names + " has a label twice");
        }
    }

    /** Labels of which exactly one is right. */
    public static Labels of(String... names) {
        return new Labels(List.of(names), ProblemType.SINGLE_LABEL_CLASSIFICATION);
    }

    /** The number of labels. */
    public int size() {
        return names.size();
    }

    /** The index of the score of a label; -1 if there is no such label. */
    public int id(String name) {
        return names.indexOf(name);
    }

    /**
     * Reads the labels of a configuration: {@code id2label}, or {@code num_labels} for labels without names. Two labels by
     * default. Without {@code problem_type}, one label means regression.
     */
    static Labels read(ConfigJson json) {
        ConfigJson table = json.object("id2label");
        json.ignore("label2id");
        List<String> names = new ArrayList<>();
        if (table.isEmpty()) {
            for (int i = 0; i < json.size("num_labels", 2); i++) {
                names.add("LABEL_" + i);
            }
        }
        for (int i = 0; table.has(Integer.toString(i)); i++) {
            names.add(table.text(Integer.toString(i), ""));
        }
        require(!names.isEmpty(), "id2label has no label 0");
        require(table.isEmpty() || table.size() == names.size(), "id2label has no label " + names.size());
        ProblemType usual = names.size() == 1 ? ProblemType.REGRESSION : ProblemType.SINGLE_LABEL_CLASSIFICATION;
        return new Labels(names, ProblemType.of(json.text("problem_type", usual.key())));
    }

    /** Sets the keys of these labels. */
    void write(ConfigJson json, boolean withProblemType) {
        Map<String, String> labels = new LinkedHashMap<>();
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            labels.put(Integer.toString(i), names.get(i));
            ids.put(names.get(i), i);
        }
        json.set("id2label", labels).set("label2id", ids);
        if (withProblemType) {
            json.set("problem_type", problemType.key());
        }
    }
}

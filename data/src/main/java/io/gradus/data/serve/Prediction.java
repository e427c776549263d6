package io.gradus.data.serve;

import java.util.List;
import java.util.Map;

/**
 * What a classifier says about a text.
 *
 * @param label the most probable label
 * @param labels the labels that apply: this one, or of a classifier with any number of labels those with a probability above 0.5
 * @param scores the probability of each label; of a regression, the predicted number
 */
public record Prediction(String label, List<String> labels, Map<String, Double> scores) {}

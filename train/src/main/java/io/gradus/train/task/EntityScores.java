package io.gradus.train.task;

import io.gradus.data.Entity;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Scores of a tagger of entities, with the values of seqeval: an entity is right if type, first and last word are. Precision, recall
 * and F1 count the entities of all types together (micro); the accuracy counts words.
 */
public final class EntityScores {
    /** The metric names, all of which are better if they are higher. */
    public static final String F1 = "entity_f1";

    public static final String PRECISION = "entity_precision";
    public static final String RECALL = "entity_recall";

    private EntityScores() {}

    /**
     * Scores sentences.
     *
     * @param actual the tags of each sentence
     * @param predicted those that were predicted, as many
     */
    public static Scores of(List<List<String>> actual, List<List<String>> predicted) {
        Map<String, int[]> counts = new TreeMap<>(); // right, actual, predicted
        int words = 0;
        int same = 0;
        for (int i = 0; i < actual.size(); i++) {
            for (int word = 0; word < actual.get(i).size(); word++) {
                words++;
                same += actual.get(i).get(word).equals(predicted.get(i).get(word)) ? 1 : 0;
            }
            Set<Entity> wanted = new HashSet<>(Entity.of(actual.get(i)));
            wanted.forEach(entity -> of(counts, entity)[1]++);
            for (Entity entity : Entity.of(predicted.get(i))) {
                of(counts, entity)[2]++;
                of(counts, entity)[0] += wanted.contains(entity) ? 1 : 0;
            }
        }
        List<ClassScore> types = new ArrayList<>();
        int[] all = new int[3];
        counts.forEach((type, count) -> {
            types.add(ClassScore.of(type, count[0], count[1], count[2]));
            for (int i = 0; i < all.length; i++) {
                all[i] += count[i];
            }
        });
        ClassScore together = ClassScore.of("all", all[0], all[1], all[2]);
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(F1, together.f1());
        metrics.put(PRECISION, together.precision());
        metrics.put(RECALL, together.recall());
        metrics.put(ClassificationScores.ACCURACY, ClassScore.quotient(same, words));
        return new Scores(metrics, types, List.of());
    }

    private static int[] of(Map<String, int[]> counts, Entity entity) {
        return counts.computeIfAbsent(entity.type(), _ -> new int[3]);
    }
}

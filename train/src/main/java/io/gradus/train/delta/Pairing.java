package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Names;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Pairs each tensor of the tuned model with its tensor in the base. Two files of one model may have different names: a tied weight
 * occurs once or twice, some files prefix every name ({@code transformer.wte.weight}, {@code wte.weight}), and older files have
 * tables that are not weights. Any other tensor without a counterpart is an error.
 *
 * @param from the name in the base, by the name in the tuned model, in its order
 * @param leftOut tensors that are not in the delta: tables, and second copies of a weight in the base
 */
record Pairing(Map<String, String> from, List<String> leftOut) {
    /** The names that transformers gives the base model inside a model with an output layer. */
    private static final List<String> PREFIXES = List.of("transformer.", "model.");

    /** The names of the embedding table and of the output layer, which are one weight if they are tied. */
    private static final List<String> EMBEDDINGS =
            List.of("model.embed_tokens.weight", "embed_tokens.weight", "transformer.wte.weight", "wte.weight");

    private static final String HEAD = "lm_head.weight";

    /** Tables computed from the configuration, which older versions of transformers saved among the weights. */
    private static final Pattern TABLE =
            Pattern.compile("(.*\\.)?(h\\.\\d+\\.attn\\.(bias|masked_bias)|rotary_emb\\.inv_freq|position_ids)");

    static final int SHOWN = 3;

    /** @throws IOException if the two are not checkpoints of one architecture; lists all problems of a kind */
    static Pairing of(SafetensorsCheckpoint base, SafetensorsCheckpoint tuned) throws IOException {
        Map<String, String> from = new LinkedHashMap<>();
        List<String> leftOut = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String name : tuned.names()) {
            String found = find(name, base);
            if (found == null) {
                unknown.add(name);
            } else if (isTable(name) && tuned.bytes(name).hasSameBytes(base.bytes(found))) {
                leftOut.add(name);
            } else {
                from.put(name, found);
            }
        }
        for (String name : List.copyOf(unknown)) {
            String tied = tied(name, tuned, base);
            if (tied != null) {
                from.put(name, tied);
                unknown.remove(name);
                continue;
            }
            String copy = copyOf(name, tuned, from.keySet());
            if (copy != null) {
                from.put(name, from.getOrDefault(copy, copy));
                unknown.remove(name);
            }
        }
        Set<String> used = new HashSet<>(from.values());
        List<String> missing = new ArrayList<>();
        for (String name : base.names()) {
            if (used.contains(name) || leftOut.contains(name)) {
                continue;
            }
            if (isTable(name) || copyOf(name, base, used) != null) {
                leftOut.add(name);
            } else {
                missing.add(name);
            }
        }
        requireNone(unknown, base, tuned);
        requireNone(missing, tuned, base);
        requireSame(from, base, tuned);
        return new Pairing(from, leftOut);
    }

    private static @Nullable String find(String name, SafetensorsCheckpoint base) {
        if (base.contains(name)) {
            return name;
        }
        for (String prefix : PREFIXES) {
            String other = name.startsWith(prefix) ? name.substring(prefix.length()) : prefix + name;
            if (base.contains(other)) {
                return other;
            }
        }
        return null;
    }

    /** Where each file has one name of a tied weight, and not the same: the other one, in the base. */
    private static @Nullable String tied(String name, SafetensorsCheckpoint tuned, SafetensorsCheckpoint base) {
        if (!name.equals(HEAD) && !EMBEDDINGS.contains(name)) {
            return null;
        }
        List<String> others = name.equals(HEAD) ? EMBEDDINGS : List.of(HEAD);
        return others.stream().anyMatch(tuned::contains)
                ? null
                : others.stream().filter(base::contains).findFirst().orElse(null);
    }

    /** Whether a checkpoint has an output layer that is not the embedding table. */
    static boolean hasOwnOutputLayer(SafetensorsCheckpoint checkpoint) throws IOException {
        for (String embeddings : EMBEDDINGS) {
            if (checkpoint.contains(HEAD)
                    && checkpoint.contains(embeddings)
                    && !checkpoint.haveSameValues(HEAD, embeddings)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isTable(String name) {
        return TABLE.matcher(name).matches();
    }

    /** Another tensor of the same file with the same values, such as a tied weight that is saved twice. */
    private static @Nullable String copyOf(String name, SafetensorsCheckpoint checkpoint, Set<String> among)
            throws IOException {
        for (String other : among) {
            boolean floats = isFloat(checkpoint.entry(name).dtype())
                    && isFloat(checkpoint.entry(other).dtype());
            if (floats && checkpoint.haveSameValues(name, other)) {
                return other;
            }
        }
        return null;
    }

    private static void requireNone(List<String> names, SafetensorsCheckpoint lacks, SafetensorsCheckpoint has)
            throws IOException {
        if (!names.isEmpty()) {
            throw new IOException(lacks.path() + ": it lacks " + Names.few(names, SHOWN) + ", which " + has.path()
                    + " has; a delta needs two checkpoints of one architecture");
        }
    }

    private static void requireSame(Map<String, String> from, SafetensorsCheckpoint base, SafetensorsCheckpoint tuned)
            throws IOException {
        List<String> shapes = new ArrayList<>();
        for (Map.Entry<String, String> pair : from.entrySet()) {
            Entry after = tuned.entry(pair.getKey());
            Entry before = base.entry(pair.getValue());
            requireFloat(after, tuned);
            requireFloat(before, base);
            if (!after.shape().equals(before.shape())) {
                shapes.add(after.name() + " " + before.shape() + " → " + after.shape());
            }
        }
        if (!shapes.isEmpty()) {
            throw new IOException(
                    tuned.path() + ": shapes differ from those of " + base.path() + ": " + Names.few(shapes, SHOWN)
                            + "; a delta needs two checkpoints of one architecture (was the vocabulary resized?)");
        }
    }

    static void requireFloat(Entry entry, SafetensorsCheckpoint checkpoint) throws IOException {
        if (!isFloat(entry.dtype())) {
            throw new IOException(checkpoint.path() + ": tensor '" + entry.name() + "' is " + entry.dtype()
                    + "; a delta supports F32, BF16 and F16"
                    + ("F64".equals(entry.dtype())
                            ? ", save the model as F32"
                            : "; if this is a quantized checkpoint, use the original one"));
        }
    }

    private static boolean isFloat(String dtype) {
        return dtype.equals("F32") || dtype.equals("BF16") || dtype.equals("F16");
    }

    /** The dtype of a tensor that {@link #of} has accepted. */
    static DType dtype(Entry entry) {
        return DType.valueOf(entry.dtype());
    }
}

package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Names;
import io.gradus.core.Shape;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.core.safetensors.StreamedTensors;
import io.gradus.nn.model.ModelWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A model plus deltas: θ₀ + Σ fᵢ·Δᵢ. One delta with factor 1 restores the model that it was made from, bit for bit. A factor
 * below 1 interpolates, a negative one moves away from a task, and several deltas of one base combine what each has learned
 * (task arithmetic: Ilharco et al. 2023, <a href="https://arxiv.org/abs/2212.04089">arXiv:2212.04089</a>,
 * equations 1 to 3).
 *
 * <p>Sums are computed in double and rounded once. The result has the dtype of the tuned models, or F32 if these differ.
 *
 * @param base the Hugging Face folder to add to
 * @param terms the deltas to add
 * @param force whether the base may differ from the one that a delta was made from; names and shapes must be the same
 */
public record DeltaSum(Path base, List<Term> terms, boolean force) {
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    /**
     * One delta with a factor.
     *
     * @param delta its file
     * @param factor finite
     */
    public record Term(Path delta, double factor) {
        public Term {
            if (!Double.isFinite(factor)) {
                throw new IllegalArgumentException(
                        "delta " + delta + ": the factor is " + factor + "; it must be finite");
            }
        }
    }

    /**
     * The written model.
     *
     * @param folder its folder
     * @param tensors the number of tensors
     * @param exact whether it is the tuned model of the delta bit for bit, verified by hashes
     * @param restored the names of the files, besides weights, that are those of the tuned model and not those of the base
     * @param contradicted the names of the files on which deltas disagree, so that they are those of the base
     */
    public record Written(Path folder, int tensors, boolean exact, List<String> restored, List<String> contradicted) {}

    public DeltaSum {
        terms = List.copyOf(terms);
    }

    /** A model without deltas yet. */
    public static DeltaSum of(Path base) {
        return new DeltaSum(base, List.of(), false);
    }

    /** This sum with one more delta. */
    public DeltaSum plus(Path delta, double factor) {
        List<Term> more = new ArrayList<>(terms);
        more.add(new Term(delta, factor));
        return new DeltaSum(base, more, force);
    }

    /**
     * Writes the sum as a Hugging Face folder. Its configuration, tokenizer and chat templates are those of the tuned model, if
     * all deltas with a factor above 0 that have such a file agree on it, or else those of the base. The folder is written under
     * a temporary name and renamed when it is complete.
     *
     * @param folder must not exist, or must be empty
     * @throws IOException if the base is not the one that a delta was made from (unless {@code force}), if the deltas are of
     *     different models, if one cannot be scaled, if a weight overflows, or if a file is missing or damaged; no file remains
     * @throws IllegalStateException if there is no delta
     */
    public Written write(Path folder) throws IOException {
        if (terms.isEmpty()) {
            throw new IllegalStateException("delta: nothing to add to " + base);
        }
        SumFolder target = SumFolder.of(base, folder);
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(base);
                Opened opened = open()) {
            List<Delta> deltas = opened.deltas();
            requireTogether(deltas);
            Map<String, String> hashes = TensorHashes.ofTensors(checkpoint);
            requireBase(checkpoint, hashes, deltas);
            List<NamedTensor> sums = new ArrayList<>();
            StreamedTensors one = new StreamedTensors();
            boolean exact = true;
            for (TensorDelta first : deltas.getFirst().tensors()) {
                boolean alone = terms.size() == 1 && terms.getFirst().factor() == 1;
                boolean tensorExact = alone && first.baseSha256().equals(hashes.get(first.from()));
                exact &= tensorExact;
                TensorSum sum = tensorSum(checkpoint, opened, first.name(), tensorExact);
                sums.add(one.tensor(first.name(), sum.dtype(), first.shape(), sum::compute));
            }
            List<List<DeltaFile>> files = files(deltas);
            List<DeltaFile> agreed = files.stream()
                    .filter(versions -> versions.size() == 1)
                    .map(List::getFirst)
                    .toList();
            target.write(ModelWriter.dtypeOf(sums), agreed, fresh -> {
                SafetensorsWriter.writeCheckpoint(fresh, sums, Map.of("format", "pt"), MAX_SHARD_BYTES);
                SumFolder.separate(fresh);
            });
            return new Written(
                    folder,
                    sums.size(),
                    exact,
                    agreed.stream().map(DeltaFile::name).toList(),
                    files.stream()
                            .filter(versions -> versions.size() > 1)
                            .map(versions -> versions.getFirst().name())
                            .toList());
        } catch (UncheckedIOException e) { // from a tensor that was computed while the file was written
            throw e.getCause();
        }
    }

    private TensorSum tensorSum(SafetensorsCheckpoint checkpoint, Opened opened, String name, boolean exact)
            throws IOException {
        List<TensorSum.Addend> addends = new ArrayList<>();
        DType dtype = opened.tensor(0, name).dtype();
        for (int i = 0; i < terms.size(); i++) {
            TensorDelta tensor = opened.tensor(i, name);
            Term term = terms.get(i);
            if (!exact && tensor.inexpressible() > 0) {
                throw new IOException(term.delta() + ": tensor '" + name + "' has " + tensor.inexpressible()
                        + " elements that moved further than " + tensor.dtype()
                        + " can say; such a delta can be applied only alone, with factor 1, to its own base");
            }
            dtype = wider(dtype, tensor.dtype());
            addends.add(new TensorSum.Addend(tensor, opened.files().get(i), term.factor()));
        }
        Entry entry = checkpoint.entry(opened.tensor(0, name).from());
        return new TensorSum(checkpoint, entry, addends, dtype, exact);
    }

    /** The different versions of each file that the added deltas have. */
    private List<List<DeltaFile>> files(List<Delta> deltas) {
        SortedMap<String, List<DeltaFile>> versions = new TreeMap<>();
        for (int i = 0; i < terms.size(); i++) {
            if (terms.get(i).factor() > 0) {
                for (DeltaFile file : deltas.get(i).files()) {
                    List<DeltaFile> known = versions.computeIfAbsent(file.name(), _ -> new ArrayList<>());
                    if (!known.contains(file)) {
                        known.add(file);
                    }
                }
            }
        }
        return List.copyOf(versions.values());
    }

    private static DType wider(DType a, DType b) {
        return a == b ? a : DType.F32;
    }

    // ---- checks ----

    /** Requires that all deltas have the same tensors. */
    private static void requireTogether(List<Delta> deltas) throws IOException {
        Delta first = deltas.getFirst();
        Map<String, TensorDelta> expected = byName(first);
        for (Delta other : deltas) {
            Map<String, TensorDelta> found = byName(other);
            if (!found.keySet().equals(expected.keySet())) {
                List<String> different = new ArrayList<>(found.keySet());
                different.removeAll(expected.keySet());
                expected.keySet().stream()
                        .filter(name -> !found.containsKey(name))
                        .forEach(different::add);
                throw new IOException(other.file() + " and " + first.file() + " are not of one model: only one has "
                        + Names.few(different, Pairing.SHOWN));
            }
            for (TensorDelta tensor : other.tensors()) {
                TensorDelta same = expected.get(tensor.name());
                if (same != null
                        && !(same.shape().equals(tensor.shape()) && same.from().equals(tensor.from()))) {
                    throw new IOException(
                            other.file() + " and " + first.file() + " are not of one model: tensor '" + tensor.name()
                                    + "' is " + tensor.shape() + " in one and " + same.shape() + " in the other");
                }
            }
        }
    }

    private static Map<String, TensorDelta> byName(Delta delta) {
        Map<String, TensorDelta> byName = new HashMap<>();
        delta.tensors().forEach(tensor -> byName.put(tensor.name(), tensor));
        return byName;
    }

    private void requireBase(SafetensorsCheckpoint checkpoint, Map<String, String> hashes, List<Delta> deltas)
            throws IOException {
        for (Delta delta : deltas) {
            List<String> different = new ArrayList<>();
            for (TensorDelta tensor : delta.tensors()) {
                if (!checkpoint.contains(tensor.from())) {
                    throw new IOException(checkpoint.path() + ": it lacks " + tensor.from() + ", which the base of "
                            + delta.file() + " has; it is a model of another architecture");
                }
                Entry entry = checkpoint.entry(tensor.from());
                Shape shape = entry.shape();
                if (!shape.equals(tensor.shape())) {
                    throw new IOException(
                            checkpoint.path() + ": tensor '" + tensor.from() + "' is " + shape + " and in "
                                    + delta.file() + " " + tensor.shape() + "; it is a model of another architecture");
                }
                Pairing.requireFloat(entry, checkpoint);
                if (!tensor.baseSha256().equals(hashes.get(tensor.from()))) {
                    different.add(tensor.from());
                }
            }
            if (!force && !different.isEmpty()) {
                throw new IOException(delta.file() + ": it was made from another model than " + base + ": "
                        + different.size() + " of " + delta.tensors().size() + " tensors differ ("
                        + Names.few(different, Pairing.SHOWN) + "). It was made from '"
                        + delta.base().name() + "', SHA-256 "
                        + delta.base()
                                .sha256()
                                .substring(0, Math.min(12, delta.base().sha256().length()))
                        + "…; name that one, or use --force to add the same difference to this one");
            }
        }
    }

    // ---- the files of the deltas ----

    /** The open files of the deltas. */
    private record Opened(List<SafetensorsFile> files, List<Delta> deltas, List<Map<String, TensorDelta>> tensors)
            implements AutoCloseable {
        TensorDelta tensor(int delta, String name) {
            TensorDelta tensor = tensors.get(delta).get(name);
            if (tensor == null) {
                throw new IllegalArgumentException("delta: no tensor '" + name + "'");
            }
            return tensor;
        }

        @Override
        public void close() {
            files.forEach(SafetensorsFile::close);
        }
    }

    private Opened open() throws IOException {
        List<SafetensorsFile> files = new ArrayList<>();
        List<Delta> deltas = new ArrayList<>();
        boolean complete = false;
        try {
            for (Term term : terms) {
                SafetensorsFile file = SafetensorsFile.open(term.delta());
                files.add(file);
                deltas.add(DeltaMetadata.read(file));
            }
            complete = true;
            return new Opened(
                    files, deltas, deltas.stream().map(DeltaSum::byName).toList());
        } finally {
            if (!complete) {
                files.forEach(SafetensorsFile::close);
            }
        }
    }
}

package io.gradus.train.checkpoint;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostStorage;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a checkpoint besides the weights. One process writes {@code optimizer.safetensors}. Several that have parts of them
 * write a file each, {@code optimizer-00001-of-00004.safetensors}, with ranges of the tensors; the metadata of a file say of which
 * shape each tensor is and where its range begins. Any number of processes reads any of these.
 */
public final class StateFiles implements SavedTensors, AutoCloseable {
    private static final String SINGLE = "optimizer.safetensors";
    private static final Pattern PART = Pattern.compile("optimizer-([0-9]{5})-of-([0-9]{5})\\.safetensors");

    /** A shape, and the first element of a range: {@code 7x15@30}. */
    private static final Pattern PLACE = Pattern.compile("((?:[0-9]{1,18}x?)*)@([0-9]{1,18})");

    private final Device device;
    private final List<SafetensorsFile> files;
    private final Map<String, Whole> tensors = new LinkedHashMap<>();

    /** A range of a tensor in a file. */
    private record Range(SafetensorsFile file, Entry entry, long from) {
        long to() {
            return from + entry.shape().size();
        }
    }

    /** A tensor and its ranges, in order. */
    private record Whole(Shape shape, List<Range> ranges) {}

    private StateFiles(List<SafetensorsFile> files, Device device) {
        this.files = files;
        this.device = device;
    }

    // ---- writing ----

    /** Writes all tensors. */
    public static void write(Path folder, List<NamedTensor> tensors) throws IOException {
        SafetensorsWriter.write(folder.resolve(SINGLE), tensors, Map.of());
    }

    /**
     * Writes the ranges that one of several processes has.
     *
     * @param rank of the process, from 0
     */
    public static void write(Path folder, int rank, int ranks, List<SavedRange> ranges) throws IOException {
        List<NamedTensor> own = new ArrayList<>();
        Map<String, String> places = new LinkedHashMap<>();
        for (SavedRange range : ranges) {
            Tensor flat = range.own().reshape(range.own().size());
            own.add(NamedTensor.of(range.name(), flat));
            places.put(
                    range.name(),
                    Arrays.stream(range.shape().toArray())
                                    .mapToObj(Long::toString)
                                    .collect(Collectors.joining("x")) + "@" + range.from());
        }
        SafetensorsWriter.write(folder.resolve(nameOf(rank, ranks)), own, places);
    }

    private static String nameOf(int rank, int ranks) {
        return String.format(Locale.ROOT, "optimizer-%05d-of-%05d.safetensors", rank + 1, ranks);
    }

    // ---- opening ----

    /**
     * Opens the files of a checkpoint.
     *
     * @throws IOException if one of them is missing or damaged, or ranges of a tensor are missing; the message names the file
     */
    public static StateFiles open(Path folder, Device device) throws IOException {
        List<SafetensorsFile> files = new ArrayList<>();
        boolean complete = false;
        try {
            for (Path path : paths(folder)) {
                files.add(SafetensorsFile.open(path));
            }
            StateFiles opened = new StateFiles(files, device);
            opened.index();
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                files.forEach(SafetensorsFile::close);
            }
        }
    }

    /** The one file, or all files of processes. */
    private static List<Path> paths(Path folder) throws IOException {
        Set<Integer> numbers;
        try (Stream<Path> listed = Files.list(folder)) {
            numbers = listed.map(path -> PART.matcher(path.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> Integer.parseInt(name.group(2)))
                    .collect(Collectors.toSet());
        }
        if (numbers.isEmpty()) {
            return List.of(folder.resolve(SINGLE));
        }
        if (numbers.size() > 1) {
            throw new IOException(
                    folder + " has the states of checkpoints of " + numbers + " processes; it is damaged");
        }
        int ranks = numbers.iterator().next();
        List<Path> paths = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            Path path = folder.resolve(nameOf(rank, ranks));
            if (!Files.exists(path)) {
                throw new IOException(path + " is missing: the checkpoint has " + ranks
                        + " such files, one of each process that wrote it; copy all of them");
            }
            paths.add(path);
        }
        return paths;
    }

    private void index() throws IOException {
        for (SafetensorsFile file : files) {
            for (Entry entry : file.entries()) {
                Whole whole = place(file, entry);
                Whole known = tensors.putIfAbsent(entry.name(), whole);
                if (known != null) {
                    known.ranges.addAll(whole.ranges);
                }
            }
        }
        for (Map.Entry<String, Whole> each : tensors.entrySet()) {
            each.getValue().ranges.sort(Comparator.comparingLong(Range::from));
            long end = 0;
            String dtype = each.getValue().ranges.getFirst().entry.dtype();
            for (Range range : each.getValue().ranges) {
                if (range.from != end || !range.entry.dtype().equals(dtype)) {
                    throw damaged(range.file, each.getKey());
                }
                end = range.to();
            }
            if (end != each.getValue().shape.size()) {
                throw damaged(each.getValue().ranges.getLast().file, each.getKey());
            }
        }
    }

    private static IOException damaged(SafetensorsFile file, String name) {
        return new IOException(file.path() + ": its range of '" + name
                + "' does not follow those of the other files; the files are of different checkpoints");
    }

    private static Whole place(SafetensorsFile file, Entry entry) throws IOException {
        String said = file.metadata().get(entry.name());
        if (said == null) {
            return new Whole(entry.shape(), new ArrayList<>(List.of(new Range(file, entry, 0))));
        }
        Matcher place = PLACE.matcher(said);
        if (!place.matches()) {
            throw damagedPlace(file, entry, said);
        }
        long[] sizes = Stream.of(place.group(1).split("x"))
                .filter(size -> !size.isEmpty())
                .mapToLong(Long::parseLong)
                .toArray();
        try {
            Shape shape = Shape.of(sizes);
            shape.size(); // may be too large
            return new Whole(shape, new ArrayList<>(List.of(new Range(file, entry, Long.parseLong(place.group(2))))));
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw damagedPlace(file, entry, said);
        }
    }

    private static IOException damagedPlace(SafetensorsFile file, Entry entry, String said) {
        return new IOException(file.path() + ": the metadata of '" + entry.name() + "' are damaged: " + said);
    }

    // ---- reading ----

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public Tensor read(String name) throws IOException {
        Whole whole = whole(name);
        return read(name, 0, whole.shape.size()).reshape(whole.shape);
    }

    @Override
    public Tensor read(String name, long from, long to) throws IOException {
        Whole whole = whole(name);
        DType dtype = dtype(whole.ranges.getFirst());
        Tensor read = Tensor.empty(device, dtype, Shape.of(to - from), MemoryCategory.WORKSPACE);
        if (read.storage() instanceof HostStorage) {
            copy(whole, from, to, read);
        } else {
            Tensor host = Tensor.empty(Device.cpu(), dtype, Shape.of(to - from), MemoryCategory.WORKSPACE);
            copy(whole, from, to, host);
            read.copyFrom(host);
            host.release();
        }
        return read;
    }

    private static DType dtype(Range range) throws IOException {
        try {
            return DType.valueOf(range.entry.dtype());
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    range.file.path() + ": '" + range.entry.name() + "' is " + range.entry.dtype()
                            + ", which no state of a run is",
                    e);
        }
    }

    private static void copy(Whole whole, long from, long to, Tensor target) throws IOException {
        MemorySegment bytes = HostStorage.of(target);
        long size = target.dtype().bytes();
        for (Range range : whole.ranges) {
            long first = Math.max(from, range.from);
            long last = Math.min(to, range.to());
            if (first < last) {
                FileRange source = range.file.bytes(range.entry.name());
                source.read((first - range.from) * size, bytes.asSlice((first - from) * size, (last - first) * size));
            }
        }
    }

    private Whole whole(String name) throws IOException {
        @Nullable Whole whole = tensors.get(name);
        if (whole == null) {
            throw new IOException(files.getFirst().path() + " has no tensor '" + name + "'");
        }
        return whole;
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}

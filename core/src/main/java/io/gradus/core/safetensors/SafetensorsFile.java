package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Names;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An open safetensors file. Opening it reads and checks only the header; elements are read on request. Tensors that were read do
 * not depend on the file. Thread-safe.
 *
 * <p>While it is open the file may be replaced (as by {@link SafetensorsWriter}) or deleted. If it is shortened, reading what is
 * gone is an error.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl");

    private final Path path;
    private final FileRange data;
    private final Header header;

    private SafetensorsFile(Path path, FileRange data, Header header) {
        this.path = path;
        this.data = data;
        this.header = header;
    }

    /**
     * Opens a file.
     *
     * @throws SafetensorsException if there is no such file or it is invalid
     */
    public static SafetensorsFile open(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new SafetensorsException(
                    path, Files.exists(path) ? "it is not a file" : "there is no such file; check the path");
        }
        if (isPickle(path)) {
            throw new SafetensorsException(
                    path, "only safetensors are read, because a pickle can run code; " + OtherFormat.CONVERT);
        }
        FileRange bytes = FileRange.open(path);
        boolean opened = false;
        try {
            Header header = Header.read(path, bytes);
            opened = true;
            return new SafetensorsFile(path, bytes.from(header.dataStart()), header);
        } finally {
            if (!opened) {
                bytes.close();
            }
        }
    }

    private static boolean isPickle(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        return PICKLES.stream().anyMatch(name::endsWith);
    }

    public Path path() {
        return path;
    }

    /** The names of the tensors, in the order of the header. */
    public List<String> names() {
        return List.copyOf(header.entries().keySet());
    }

    /** The header entries, in order. */
    public List<Entry> entries() {
        return List.copyOf(header.entries().values());
    }

    /** The metadata strings of the header, such as {@code format=pt}. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    public boolean contains(String name) {
        return header.entries().containsKey(name);
    }

    /**
     * The header entry of a tensor.
     *
     * @throws SafetensorsException if there is no tensor with that name
     */
    public Entry entry(String name) throws SafetensorsException {
        Entry entry = header.entries().get(name);
        if (entry == null) {
            throw new SafetensorsException(path, "it has no tensor '" + name + "'; it has " + some(names()));
        }
        return entry;
    }

    /** The first few names, for an error. */
    static String some(List<String> names) {
        return names.isEmpty()
                ? "none"
                : Names.few(names.stream().map(StrictJson::shorten).toList(), 3);
    }

    /**
     * Reads a tensor and converts it. Floats convert to any float dtype, rounded to nearest. Integers of any width and booleans
     * convert to {@link DType#I32} only (or remain {@link DType#U8}). Floats do not convert to integers or vice versa, so that a
     * quantized checkpoint cannot be mistaken for weights. For a device without elements only the header is checked.
     *
     * @param wanted the dtype of the result
     * @param category what the memory is for
     * @return a new tensor with that name
     * @throws SafetensorsException if there is no such tensor, its dtype cannot be converted to {@code wanted}, or a value
     *     is out of range
     * @throws IllegalStateException if this file was closed
     */
    public Tensor read(String name, Device device, DType wanted, MemoryCategory category) throws IOException {
        Entry entry = entry(name);
        StoredType type = StoredType.valueOf(entry.dtype());
        check(entry, type, wanted);
        FileRange source = bytes(name);
        Tensor tensor = Tensor.empty(device, wanted, entry.shape(), category);
        boolean complete = false;
        try {
            if (device.backend().hasElements()) {
                Elements.read(path, entry, type, source, tensor);
            }
            complete = true;
            return tensor.named(name);
        } finally {
            if (!complete) {
                tensor.release();
            }
        }
    }

    /**
     * The raw elements of a tensor of any dtype, little-endian and row by row. They can be read until {@link #close}.
     *
     * @throws SafetensorsException if there is no such tensor
     */
    public FileRange bytes(String name) throws SafetensorsException {
        Entry entry = entry(name);
        return data.slice(entry.begin(), entry.byteSize());
    }

    private void check(Entry entry, StoredType type, DType wanted) throws SafetensorsException {
        String tensor = "tensor '" + entry.name() + "' is " + type;
        if (type.kind() == StoredType.Kind.UNREADABLE) {
            throw new SafetensorsException(
                    path, tensor + ", which cannot be read; save it in one of " + StoredType.readable());
        }
        DType held = type.dtype() == null ? DType.I32 : type.dtype();
        if (!Elements.convertible(held, wanted)) {
            throw new SafetensorsException(
                    path,
                    tensor + ", which cannot be read as " + wanted
                            + (!held.isFloating()
                                    ? "; if this is a quantized checkpoint, use the original"
                                    : "; floats are not converted to integers"));
        }
    }

    /** Closes the file. Further calls do nothing. */
    @Override
    public void close() {
        data.close();
    }

    /** As {@code model.safetensors (47 tensors)}. */
    @Override
    public String toString() {
        return path + " (" + header.entries().size() + " tensors)";
    }
}

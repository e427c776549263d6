package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Model folders whose tensors a test chooses to the bit. */
final class TestModel {
    private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();
    private long maxShardBytes = Long.MAX_VALUE;
    private String config = "{\"model_type\": \"llama\", \"torch_dtype\": \"float32\"}";

    /** Adds a tensor with these numbers, rounded to the dtype. */
    TestModel with(String name, DType dtype, float... values) {
        return with(name, dtype, Shape.of(values.length), values);
    }

    TestModel with(String name, DType dtype, Shape shape, float... values) {
        byte[] bytes = new byte[values.length * dtype.bytes()];
        HostCast.convert(MemorySegment.ofArray(values), DType.F32, MemorySegment.ofArray(bytes), dtype, values.length);
        return with(name, dtype, shape, MemorySegment.ofArray(bytes));
    }

    /** Adds a tensor of these bits, the lower 16 of each for the narrow dtypes. */
    TestModel withBits(String name, DType dtype, int... bits) {
        MemorySegment segment = MemorySegment.ofArray(new byte[bits.length * dtype.bytes()]);
        for (int i = 0; i < bits.length; i++) {
            if (dtype.bytes() == 4) {
                segment.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, bits[i]);
            } else {
                segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) bits[i]);
            }
        }
        return with(name, dtype, Shape.of(bits.length), segment);
    }

    private TestModel with(String name, DType dtype, Shape shape, MemorySegment bytes) {
        Tensor tensor = Tensor.empty(Device.cpu(), dtype, shape, MemoryCategory.WORKSPACE);
        tensor.backend().upload(bytes, tensor);
        tensors.put(name, NamedTensor.of(name, tensor));
        return this;
    }

    TestModel shards(long maxBytes) {
        this.maxShardBytes = maxBytes;
        return this;
    }

    TestModel config(String json) {
        this.config = json;
        return this;
    }

    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config);
        SafetensorsWriter.writeCheckpoint(folder, List.copyOf(tensors.values()), Map.of("format", "pt"), maxShardBytes);
        return folder;
    }

    /** One tensor, {@code w}. */
    static Path single(Path folder, DType dtype, float... values) throws IOException {
        return new TestModel().with("w", dtype, values).write(folder);
    }

    /** Every pattern of bits of a finite number is as likely as any other; denormals and zeros are among them. */
    static int[] anyBits(RandomGenerator random, DType dtype, int count) {
        int[] special = {0, 0x8000_0000, 1, 0x7F7F_FFFF, 0xFF7F_FFFF};
        int exponent = switch (dtype) {
            case BF16 -> 0x7F80;
            case F16 -> 0x7C00;
            default -> 0x7F80_0000;
        };
        return random.ints()
                .map(bits -> random.nextInt(8) == 0 ? special[random.nextInt(special.length)] : bits)
                .map(bits -> random.nextInt(4) == 0 ? bits << 16 | bits >>> 16 : bits)
                .filter(bits -> (bits & exponent) != exponent)
                .limit(count)
                .toArray();
    }

    /** The bits of every finite number of a dtype of 16 bits. */
    static int[] allBits(DType dtype) {
        int exponent = dtype == DType.BF16 ? 0x7F80 : 0x7C00;
        return IntStream.range(0, 1 << 16)
                .filter(bits -> (bits & exponent) != exponent)
                .toArray();
    }

    /** A checkpoint as text, tensor by tensor, to compare two of them to the bit. */
    static Map<String, String> bits(Path model) throws IOException {
        Map<String, String> bits = new TreeMap<>();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(model)) {
            for (String name : checkpoint.names()) {
                FileRange elements = checkpoint.bytes(name);
                byte[] bytes = new byte[(int) elements.size()];
                elements.read(0, MemorySegment.ofArray(bytes));
                StringBuilder hex = new StringBuilder(checkpoint.entry(name).dtype() + " "
                        + checkpoint.entry(name).shape() + " ");
                hex.append(HexFormat.of().formatHex(bytes));
                bits.put(name, hex.toString());
            }
        }
        return bits;
    }

    /** The numbers of one tensor. */
    static float[] floats(Path model, String name) throws IOException {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(model)) {
            return checkpoint
                    .read(name, Device.cpu(), DType.F32, MemoryCategory.WORKSPACE)
                    .toFloats();
        }
    }
}

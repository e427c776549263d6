package io.gradus.train.memory;

import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The memory of a run, known before it. That of its tensors is counted: {@code FineTuning.plan} makes the run's own steps on the {@linkplain
 * Device#meta() meta device}, which only counts bytes.
 *
 * @param parameters the number of elements of the model, including frozen ones
 * @param batchSize blocks per forward pass
 * @param blockLength tokens per block
 * @param kept bytes kept between steps, by category
 * @param atPeak bytes in use at the peak, by category
 * @param optimizerState the optimizer's part of {@code kept}, by buffer, such as {@code exp_avg}
 * @param processes that train together; all bytes are those of one of them
 * @param sentBytes that the process sends to others in a step; as many as it receives
 * @param process what the process takes beside the tensors; {@link ProcessPlan#NONE} if they lie on another device
 */
public record MemoryPlan(
        long parameters,
        int batchSize,
        int blockLength,
        Map<MemoryCategory, Long> kept,
        Map<MemoryCategory, Long> atPeak,
        Map<String, Long> optimizerState,
        int processes,
        long sentBytes,
        ProcessPlan process) {

    /** The plan of a run of one process. */
    public MemoryPlan(
            long parameters,
            int batchSize,
            int blockLength,
            Map<MemoryCategory, Long> kept,
            Map<MemoryCategory, Long> atPeak,
            Map<String, Long> optimizerState,
            ProcessPlan process) {
        this(parameters, batchSize, blockLength, kept, atPeak, optimizerState, 1, 0, process);
    }

    /**
     * The plan of a run that was made on the meta device.
     *
     * @param device the meta device
     * @param tensors of the optimizer, named {@code <parameter>.<buffer>}
     * @param processes that train together
     * @param sentBytes that one process sends in a step
     * @param process what the process takes beside the tensors
     */
    public static MemoryPlan of(
            Device device,
            long parameters,
            int batchSize,
            int blockLength,
            Map<String, Tensor> tensors,
            int processes,
            long sentBytes,
            ProcessPlan process) {
        Map<MemoryCategory, Long> kept = new EnumMap<>(MemoryCategory.class);
        for (MemoryCategory category : MemoryCategory.values()) {
            kept.put(category, device.backend().memory().live(category));
        }
        kept.values().removeIf(bytes -> bytes == 0);
        return new MemoryPlan(
                parameters,
                batchSize,
                blockLength,
                kept,
                device.backend().memory().atPeak(),
                optimizerState(tensors, device),
                processes,
                sentBytes,
                process);
    }

    private static Map<String, Long> optimizerState(Map<String, Tensor> tensors, Device device) {
        Map<String, Long> bytes = new TreeMap<>();
        tensors.forEach((name, tensor) -> {
            if (tensor.device().equals(device)) { // the count of steps is on the CPU
                bytes.merge(name.substring(name.lastIndexOf('.') + 1), tensor.byteSize(), Long::sum);
            }
        });
        return bytes;
    }

    /** Peak memory of the tensors, in bytes. */
    public long peakBytes() {
        return sum(atPeak);
    }

    /** Peak memory of the whole process, in bytes: that of the tensors, unless they lie on another device, and the rest. */
    public long processBytes() {
        return peakBytes() + process.bytes();
    }

    /** {@link #processBytes()} without the Java heap. */
    public long nativeBytes() {
        return peakBytes() + process.nativeBytes();
    }

    /** Bytes of tensors kept between steps. */
    public long keptBytes() {
        return sum(kept);
    }

    /** Bytes of activations at the peak. */
    public long activationBytes() {
        return atPeak.getOrDefault(MemoryCategory.ACTIVATIONS, 0L);
    }

    /** Tokens per forward pass. */
    public long tokens() {
        return (long) batchSize * blockLength;
    }

    /** Bytes kept per parameter, without activations: 16 for AdamW in F32. */
    public double bytesPerParameter() {
        long activations = kept.getOrDefault(MemoryCategory.ACTIVATIONS, 0L);
        return (double) (keptBytes() - activations) / parameters;
    }

    private static long sum(Map<MemoryCategory, Long> bytes) {
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }
}

package io.gradus.train.memory;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The memory that the process of a run takes beside its tensors. What is kept for reuse is counted; the rest is estimated from
 * measurements of {@code ./gradus finetune} with JDK 25 on Linux (x86-64, 2 cores): resident memory by mapping from {@code
 * /proc/self/smaps}, the JVM's own from {@code jcmd VM.native_memory}, and the heap from the log of the garbage collector. Models
 * of 0.3 to 137 million parameters; docs/memory.md has the totals.
 *
 * @param reuse freed memory of tensors that is kept for the next tensors, and what blocks are larger than their tensors
 * @param buffers the packed operands of matrix products and other scratch of the kernels, outside the heap
 * @param heap the Java heap, with the vocabulary of the tokenizer and the tokens
 * @param jvm the JVM, compiled code, classes, native libraries and what they allocate
 */
public record ProcessPlan(long reuse, long buffers, long heap, long jvm) {
    private static final long MB = 1_000_000;

    /** Packed operands that all threads read have at most this many floats; a block of k has at most {@link #DEPTH}. */
    private static final long SHARED = 1 << 22;

    private static final long DEPTH = 1536;
    /** The widest layer, relative to the hidden size. */
    private static final long WIDEST = 4;
    /** Packed columns, and scratch of attention, normalization and softmax, of one thread. */
    private static final long THREAD_BUFFERS = 2 * MB;

    /** Objects of a run with a vocabulary of bytes: settings, classes, 1 million tokens, and room to grow. */
    private static final long OLD_OBJECTS = 18 * MB;
    /** Heap for an entry of the vocabulary, about half of it left over from parsing {@code tokenizer.json}. */
    private static final long HEAP_PER_TOKEN = 600;

    /** libjvm, other libraries and mapped files; metaspace and class data; symbols. */
    private static final long JVM = 92 * MB;
    /** Compiled code, and memory of the compilers that the C library keeps. */
    private static final long COMPILED = 42 * MB;
    /** Native memory of the tokenizer for an entry of the vocabulary. */
    private static final long NATIVE_PER_TOKEN = 400;

    /** Nothing, for plans of tensors only. */
    public static final ProcessPlan NONE = new ProcessPlan(0, 0, 0, 0);

    /**
     * The plan of a run in this JVM, which it asks for the sizes of the heap. A heap whose young generation has no limit may grow
     * beyond the plan.
     *
     * @param reuse bytes that the memory pool holds beyond those in use
     * @param threads of the kernels
     * @param tokens in a batch
     * @param hiddenSize of the model
     * @param vocabSize of the model
     */
    public static ProcessPlan of(long reuse, int threads, long tokens, int hiddenSize, int vocabSize) {
        long shared = 4 * Math.min(SHARED, tokens * Math.min(DEPTH, WIDEST * hiddenSize));
        long old = OLD_OBJECTS + shared + HEAP_PER_TOKEN * vocabSize;
        long initial = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getInit();
        long heap = Math.max(initial, young() + old);
        return new ProcessPlan(
                reuse,
                shared + threads * THREAD_BUFFERS,
                Math.min(heap, Runtime.getRuntime().maxMemory()),
                JVM + COMPILED + NATIVE_PER_TOKEN * vocabSize);
    }

    /** The limit of the young generation, which is used completely; 0 if it has none, as with the G1 collector. */
    private static long young() {
        long bytes = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            boolean young = pool.getName().contains("Eden") || pool.getName().contains("Survivor");
            if (pool.getType() == MemoryType.HEAP && young) {
                bytes += Math.max(0, pool.getUsage().getMax());
            }
        }
        return bytes;
    }

    /** All of it, in bytes. */
    public long bytes() {
        return reuse + buffers + heap + jvm;
    }

    /** Bytes outside the Java heap. */
    public long nativeBytes() {
        return bytes() - heap;
    }

    /** The parts by name, for tables. */
    public Map<String, Long> parts() {
        Map<String, Long> parts = nativeParts();
        parts.put("Java heap", heap);
        return parts;
    }

    /** The parts outside the Java heap, by name. */
    Map<String, Long> nativeParts() {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("kept for reuse", reuse);
        parts.put("kernels' buffers", buffers);
        parts.put("JVM and code", jvm);
        return parts;
    }
}

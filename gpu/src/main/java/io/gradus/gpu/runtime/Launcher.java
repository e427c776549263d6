package io.gradus.gpu.runtime;

import io.gradus.core.Tensor;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Runs kernels on one device, one at a time. Each kernel has its own task graph for each combination of arenas that its
 * operands are in. TornadoVM compiles the graph on first use, and only then. A launch writes the descriptor and sets
 * the number of work-items, which needs no compilation.
 *
 * <p>TornadoVM ties a buffer to a Java array and orders the reads and writes of a task by array. A task that writes one
 * of two operands in the same arena would wait for itself. Therefore each operand of each graph has a short Java array
 * of its own, which is mapped onto the memory of the arena.
 *
 * <p>A plan cannot grow. To add a graph, the launcher creates a new plan of all graphs, which keep their code and
 * buffers. This class is thread-safe; launches are serialized.
 */
public final class Launcher {
    /** The capacity of a descriptor. */
    public static final int MOST_INTS = 64;

    private static final int MOST_FLOATS = 16;
    /** A plan keeps a record of each execution. Replacing the plan from time to time frees these records. */
    private static final int LAUNCHES_OF_A_PLAN = 1 << 18;
    /** Whether to measure the time spent in kernels, which slows down launches. */
    private static final boolean PROFILED = Boolean.getBoolean("gradus.gpu.profile");
    /** The graph that allocates the arenas. */
    private static final int ARENAS = 0;
    /** The length of the arrays that represent an arena in a graph; any length works. */
    private static final int VIEW = 16;

    private final TornadoDevice device;
    private final String deviceName;
    private final TornadoNativeArray[] arenas;
    private final KernelContext context = new KernelContext();
    private final IntArray ints = new IntArray(MOST_INTS);
    private final FloatArray floats = new FloatArray(MOST_FLOATS);
    private final List<ImmutableTaskGraph> graphs = new ArrayList<>();
    private final Map<Key, Entry> entries = new HashMap<>();
    private final GridScheduler grids = new GridScheduler();
    private TornadoExecutionPlan plan;
    private int launchesOfPlan;
    private long launches;
    private long launchNanos;
    private long kernelNanos;

    /** Identifies a graph: its kernel, and for each operand the number of its arena or minus the size of a host array. */
    private record Key(String kernel, List<Integer> operands) {}

    /** The index of a graph in the plan, and its work-items. */
    private record Entry(int graph, WorkerGrid2D grid) {}

    public Launcher(TornadoDevice device, String deviceName, DeviceMemory memory) {
        this.device = device;
        this.deviceName = deviceName;
        arenas = memory.arenas().stream().map(DeviceMemory.Arena::array).toArray(TornadoNativeArray[]::new);
        try {
            plan = new TornadoExecutionPlan(makeArenas())
                    .withGridScheduler(grids)
                    .withDevice(device);
            plan.withGraph(ARENAS).execute();
        } catch (RuntimeException | TornadoInternalError e) {
            throw new IllegalStateException(
                    "gpu: " + deviceName + " cannot provide the requested memory: " + reasons(e)
                            + "; request less with -Dgradus.gpu.memory=4g, or stop other programs that use the device",
                    e);
        }
    }

    /** Whether the device is a CPU. CPUs and GPUs need different kernels to be fast. */
    public boolean isCpu() {
        return device.getDeviceType() == TornadoDeviceType.CPU;
    }

    // ---- descriptors ----

    /** The integers of a launch. */
    public static int[] ints(long... values) {
        int[] ints = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            ints[i] = Math.toIntExact(values[i]);
        }
        return ints;
    }

    /** The floats of a launch. */
    public static float[] floats(double... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** A boolean as an integer of a launch. */
    public static int flag(boolean set) {
        return set ? 1 : 0;
    }

    // ---- launching ----

    /** Runs a kernel for {@code items} work-items and waits for it. Does nothing if there are none. */
    public void run(Kernel kernel, long items, int[] ints, float[] floats, Tensor... operands) {
        run(kernel, items, 1, ints, floats, operands);
    }

    /**
     * Runs a kernel for {@code x·y} work-items and waits for it. Does nothing if there are none.
     *
     * @param ints stored in the descriptor from {@link Kernel#INTS} on
     * @throws IllegalStateException if the kernel does not compile or fails; the message names the kernel and the
     *     device
     */
    public void run(Kernel kernel, long x, long y, int[] ints, float[] floats, Tensor... operands) {
        if (x == 0 || y == 0) {
            return;
        }
        TornadoNativeArray[] arrays = new TornadoNativeArray[operands.length];
        int[] offsets = new int[operands.length];
        List<Integer> numbers = new ArrayList<>(operands.length);
        for (int i = 0; i < operands.length; i++) {
            DeviceMemory.Arena arena = TornadoStorage.of(operands[i]).arena();
            arrays[i] = arena.array();
            offsets[i] = TornadoStorage.offset(operands[i]);
            numbers.add(arena.number());
        }
        try {
            launch(new Key(kernel.name(), numbers), kernel, arrays, HostOperand.NONE, x, y, offsets, ints, floats);
        } finally {
            Reference.reachabilityFence(operands); // keeps their memory allocated until the kernel has run
        }
    }

    /** The operand of a kernel that is an array on the host. */
    private enum HostOperand {
        NONE(-1),
        /** Copied to the device before the kernel runs. */
        INPUT(0),
        /** Copied from the device after the kernel ran. */
        OUTPUT(1);

        final int index;

        HostOperand(int index) {
            this.index = index;
        }
    }

    /** Runs a copy kernel from an array on the host to the elements of a tensor from {@code first} on. */
    void upload(Kernel copy, TornadoNativeArray host, Tensor tensor, long first, int items, int[] ints) {
        DeviceMemory.Arena arena = TornadoStorage.of(tensor).arena();
        Key key = new Key(copy.name(), List.of(-host.getSize(), arena.number()));
        TornadoNativeArray[] arrays = {host, arena.array()};
        int[] offsets = {0, Math.toIntExact(TornadoStorage.offset(tensor) + first)};
        try {
            launch(key, copy, arrays, HostOperand.INPUT, items, 1, offsets, ints, floats());
        } finally {
            Reference.reachabilityFence(tensor);
        }
    }

    /** Runs a copy kernel from the elements of a tensor from {@code first} on to an array on the host. */
    void download(Kernel copy, Tensor tensor, long first, TornadoNativeArray host, int items, int[] ints) {
        DeviceMemory.Arena arena = TornadoStorage.of(tensor).arena();
        Key key = new Key(copy.name(), List.of(arena.number(), -host.getSize()));
        TornadoNativeArray[] arrays = {arena.array(), host};
        int[] offsets = {Math.toIntExact(TornadoStorage.offset(tensor) + first), 0};
        try {
            launch(key, copy, arrays, HostOperand.OUTPUT, items, 1, offsets, ints, floats());
        } finally {
            Reference.reachabilityFence(tensor);
        }
    }

    private synchronized void launch(
            Key key,
            Kernel kernel,
            TornadoNativeArray[] operands,
            HostOperand host,
            long x,
            long y,
            int[] offsets,
            int[] numbers,
            float[] scalars) {
        int mostNumbers = MOST_INTS - Kernel.INTS;
        if (numbers.length > mostNumbers || scalars.length > MOST_FLOATS) {
            throw new IllegalArgumentException("gpu: the kernel " + kernel.name() + " was given " + numbers.length
                    + " integers and " + scalars.length + " floats; a descriptor holds " + mostNumbers + " and "
                    + MOST_FLOATS);
        }
        long width = rounded(x, kernel.groupX());
        long height = rounded(y, kernel.groupY());
        Entry entry = entries.get(key);
        boolean fresh = entry == null;
        try {
            if (entry == null) {
                entry = add(key, kernel, operands, host);
            } else if (++launchesOfPlan >= LAUNCHES_OF_A_PLAN) {
                renewPlan();
            }
            for (int i = 0; i < offsets.length; i++) {
                ints.set(i, offsets[i]);
            }
            for (int i = 0; i < numbers.length; i++) {
                ints.set(Kernel.INTS + i, numbers[i]);
            }
            for (int i = 0; i < scalars.length; i++) {
                floats.set(i, scalars[i]);
            }
            entry.grid.setGlobalWork(width, height, 1);
            long start = System.nanoTime();
            TornadoExecutionResult result = plan.withGraph(entry.graph).execute();
            launchNanos += System.nanoTime() - start;
            launches++;
            if (PROFILED) {
                kernelNanos += result.getProfilerResult().getDeviceKernelTime();
            }
        } catch (RuntimeException | TornadoInternalError e) {
            if (fresh) {
                entries.remove(key); // a second use of its graph would fail without a reason
            }
            throw new IllegalStateException(
                    "gpu: the kernel " + kernel.name() + " failed on " + deviceName + ": " + reasons(e), e);
        }
    }

    /** The messages of an exception and its causes, without terminal colors. */
    private static String reasons(Throwable error) {
        Set<String> messages = new LinkedHashSet<>();
        for (Throwable e = error; e != null; e = e.getCause()) {
            messages.add(String.valueOf(e.getMessage()).replaceAll("\u001B\\[[0-9;]*m", ""));
        }
        return String.join("; ", messages);
    }

    private static long rounded(long items, int group) {
        return Math.toIntExact(Math.ceilDiv(items, group) * group);
    }

    // ---- graphs and plans ----

    private ImmutableTaskGraph makeArenas() {
        TaskGraph graph = new TaskGraph("arenas").transferToDevice(DataTransferMode.EVERY_EXECUTION, ints);
        WorkerGrid2D grid = new WorkerGrid2D(DeviceMemory.RESERVED, 1);
        grid.setLocalWork(DeviceMemory.RESERVED, 1, 1);
        for (int i = 0; i < arenas.length; i++) {
            String task = "t" + i;
            // A kernel that only writes reads nothing from the host: the arena is allocated, not copied.
            switch (arenas[i]) {
                case FloatArray array -> graph.task(task, Launcher::touchFloats, context, ints, array);
                case IntArray array -> graph.task(task, Launcher::touchInts, context, ints, array);
                case ShortArray array -> graph.task(task, Launcher::touchShorts, context, ints, array);
                case ByteArray array -> graph.task(task, Launcher::touchBytes, context, ints, array);
                default -> throw new IllegalStateException("an arena of " + arenas[i].getClass());
            }
            grids.addWorkerGrid("arenas." + task, grid);
        }
        graphs.add(graph.persistOnDevice((Object[]) arenas).snapshot());
        return graphs.getFirst();
    }

    private static void touchFloats(KernelContext c, IntArray d, FloatArray arena) {
        arena.set(c.globalIdx, d.get(0));
    }

    private static void touchInts(KernelContext c, IntArray d, IntArray arena) {
        arena.set(c.globalIdx, d.get(0));
    }

    private static void touchShorts(KernelContext c, IntArray d, ShortArray arena) {
        arena.set(c.globalIdx, (short) d.get(0));
    }

    private static void touchBytes(KernelContext c, IntArray d, ByteArray arena) {
        arena.set(c.globalIdx, (byte) d.get(0));
    }

    private Entry add(Key key, Kernel kernel, TornadoNativeArray[] operands, HostOperand host) {
        String name = "g" + graphs.size();
        TornadoNativeArray[] views = operands.clone();
        List<Object> mapped = new ArrayList<>();
        for (int i = 0; i < operands.length; i++) {
            if (i != host.index) {
                views[i] = viewLike(operands[i]);
                mapped.add(views[i]);
            }
        }
        TaskGraph graph = new TaskGraph(name)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, ints, floats)
                .transferToDevice(DataTransferMode.UNDER_DEMAND, mapped.toArray());
        if (host == HostOperand.INPUT) {
            graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, views[0]);
        }
        kernel.binding().bind(graph, context, ints, floats, views);
        if (host == HostOperand.OUTPUT) {
            graph.transferToHost(DataTransferMode.EVERY_EXECUTION, views[1]);
        }
        ImmutableTaskGraph snapshot = graph.persistOnDevice(mapped.toArray()).snapshot();
        WorkerGrid2D grid = new WorkerGrid2D(kernel.groupX(), kernel.groupY());
        grid.setLocalWork(kernel.groupX(), kernel.groupY(), 1);
        grids.addWorkerGrid(name + "." + Kernel.TASK, grid);
        new TornadoExecutionPlan(snapshot).withDevice(device);
        Entry entry = new Entry(graphs.size(), grid);
        graphs.add(snapshot);
        renewPlan();
        for (int i = 0; i < views.length; i++) {
            if (views[i] != operands[i]) {
                plan.mapOnDeviceMemoryRegion(views[i], operands[i], 0, ARENAS, entry.graph);
            }
        }
        entries.put(key, entry);
        return entry;
    }

    /** A short array that represents an arena; mapping it onto the arena gives it the memory of the arena. */
    private static TornadoNativeArray viewLike(TornadoNativeArray arena) {
        return switch (arena) {
            case FloatArray _ -> new FloatArray(VIEW);
            case IntArray _ -> new IntArray(VIEW);
            case ShortArray _ -> new ShortArray(VIEW);
            case ByteArray _ -> new ByteArray(VIEW);
            default -> throw new IllegalStateException("an arena of " + arena.getClass());
        };
    }

    private void renewPlan() {
        plan = new TornadoExecutionPlan(graphs.toArray(ImmutableTaskGraph[]::new)).withGridScheduler(grids);
        if (PROFILED) {
            plan = plan.withProfiler(ProfilerMode.SILENT);
        }
        launchesOfPlan = 0;
    }

    // ---- statistics ----

    /**
     * Totals since the start: launches, seconds in launches, and with profiling seconds in kernels by the clock of the
     * device.
     */
    public synchronized Map<String, Double> counters() {
        Map<String, Double> counters = new LinkedHashMap<>();
        counters.put("launches", (double) launches);
        counters.put("seconds in launches", launchNanos / 1e9);
        if (PROFILED) {
            counters.put("seconds in kernels", kernelNanos / 1e9);
        }
        return counters;
    }
}

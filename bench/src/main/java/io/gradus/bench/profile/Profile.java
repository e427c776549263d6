package io.gradus.bench.profile;

import io.gradus.bench.measure.Peaks;
import io.gradus.bench.report.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The time of training steps by phase and kernel, next to a floor: the time in which this machine moves the bytes of the operands
 * from and to memory, or multiplies, whichever is longer. Operands that are in a cache move faster, so a kernel can be below.
 */
public final class Profile {
    private static final String OUTSIDE = "outside kernels";

    /** The sums over all steps so far. */
    private static final class Sum {
        private long calls;
        private long nanos;
        private double bytes;
        private double flops;

        private void add(Call call, long nanos) {
            calls++;
            this.nanos += nanos;
            bytes += call.bytes();
            flops += call.flops();
        }

        private double seconds() {
            return nanos * 1e-9;
        }
    }

    private final Map<String, Map<String, Sum>> phases = new LinkedHashMap<>();
    private String phase = "";
    private long phaseStart;
    private int steps;

    /** Forgets everything, as after the steps of a warm-up. */
    public void clear() {
        phases.clear();
        steps = 0;
    }

    /** Begins a phase of a step, such as the backward pass. It ends when the next one begins or the step ends. */
    public void begin(String name) {
        end();
        phase = name;
        phaseStart = System.nanoTime();
    }

    /** Ends a step. */
    public void endStep() {
        end();
        steps++;
    }

    private void end() {
        if (!phase.isEmpty()) {
            Map<String, Sum> kernels = phases.computeIfAbsent(phase, _ -> new LinkedHashMap<>());
            long nanos = System.nanoTime() - phaseStart;
            kernels.computeIfAbsent(OUTSIDE, _ -> new Sum()).nanos += nanos;
        }
        phase = "";
    }

    /** Adds a call of a kernel; its time is no longer outside of kernels. */
    void add(Call call, long nanos) {
        Map<String, Sum> kernels = phases.computeIfAbsent(phase, _ -> new LinkedHashMap<>());
        kernels.computeIfAbsent(call.name(), _ -> new Sum()).add(call, nanos);
        kernels.computeIfAbsent(OUTSIDE, _ -> new Sum()).nanos -= nanos;
    }

    /**
     * Means over the steps, in milliseconds: phases in their order, and within each the kernels, the longest first.
     *
     * @param peaks of the threads that computed
     * @param productGigaFlops the speed of products in 10⁹ floating-point operations per second
     */
    public String text(Peaks peaks, double productGigaFlops) {
        Table table = new Table("phase and kernel", "calls", "ms", "floor, ms", "GB/s", "GFLOP/s");
        double total = 0;
        double totalFloor = 0;
        List<Runnable> rows = new ArrayList<>();
        for (Map.Entry<String, Map<String, Sum>> entry : phases.entrySet()) {
            double floor = 0;
            double seconds = 0;
            for (Sum sum : entry.getValue().values()) {
                seconds += sum.seconds();
                floor += floor(sum, peaks, productGigaFlops);
            }
            double phaseSeconds = seconds;
            double phaseFloor = floor;
            rows.add(() -> table.row(entry.getKey(), "", millis(phaseSeconds), millis(phaseFloor), "", ""));
            entry.getValue().entrySet().stream()
                    .sorted(Comparator.comparingLong((Map.Entry<String, Sum> kernel) -> -kernel.getValue().nanos))
                    .forEach(kernel -> rows.add(() -> {
                        Sum sum = kernel.getValue();
                        table.row(
                                "  " + kernel.getKey(),
                                sum.calls == 0 ? "" : Long.toString(sum.calls / steps),
                                millis(sum.seconds()),
                                millis(floor(sum, peaks, productGigaFlops)),
                                speed(sum.bytes, sum),
                                speed(sum.flops, sum));
                    }));
            total += seconds;
            totalFloor += floor;
        }
        table.row("step", "", millis(total), millis(totalFloor), "", "");
        rows.forEach(Runnable::run);
        return table.text();
    }

    private static double floor(Sum sum, Peaks peaks, double productGigaFlops) {
        return Math.max(sum.bytes / peaks.gigaBytes(), sum.flops / productGigaFlops) * 1e-9;
    }

    private String millis(double seconds) {
        return String.format(Locale.ROOT, "%.1f", seconds * 1e3 / steps);
    }

    private static String speed(double work, Sum sum) {
        return work == 0 ? "" : String.format(Locale.ROOT, "%.0f", work / sum.nanos);
    }
}

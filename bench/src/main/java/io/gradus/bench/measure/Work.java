package io.gradus.bench.measure;

/**
 * The work of one run of a case, to compare its speed with the machine's peak.
 *
 * @param amount number of operations or bytes
 * @param unit of the amount
 */
public record Work(double amount, Unit unit) {

    /** The unit of work. */
    public enum Unit {
        /** Floating-point operations; a fused multiply-add is two. */
        FLOP("GFLOP/s"),
        /** Bytes read or written. */
        BYTE("GB/s");

        private final String rate;

        Unit(String rate) {
            this.rate = rate;
        }

        /** The name of 10⁹ units per second. */
        public String rate() {
            return rate;
        }
    }

    /** Floating-point operations. */
    public static Work flops(double amount) {
        return new Work(amount, Unit.FLOP);
    }

    /** Bytes read or written. */
    public static Work bytes(double amount) {
        return new Work(amount, Unit.BYTE);
    }

    /** The speed in 10⁹ units per second. */
    public double rate(double seconds) {
        return amount / seconds * 1e-9;
    }
}

package io.gradus.bench.measure;

/**
 * What one run of a case does, so that its speed can be held against what the machine can do.
 *
 * @param amount of operations or bytes
 * @param unit of what
 */
public record Work(double amount, Unit unit) {

    /** What is counted. */
    public enum Unit {
        /** Floating-point operations; a fused multiply-add is two. */
        FLOP("GFLOP/s"),
        /** Bytes read or written. */
        BYTE("GB/s");

        private final String rate;

        Unit(String rate) {
            this.rate = rate;
        }

        /** The name of 10⁹ of them in a second. */
        public String rate() {
            return rate;
        }
    }

    /** Operations. */
    public static Work flops(double amount) {
        return new Work(amount, Unit.FLOP);
    }

    /** Bytes. */
    public static Work bytes(double amount) {
        return new Work(amount, Unit.BYTE);
    }

    /** The speed, in 10⁹ a second. */
    public double rate(double seconds) {
        return amount / seconds * 1e-9;
    }
}

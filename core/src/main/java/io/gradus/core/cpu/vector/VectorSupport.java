package io.gradus.core.cpu.vector;

import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Whether the kernels use the Vector API, decided once at start: its module must be there, and so must the compiler that
 * turns it into vector instructions. This class touches neither, so it can be asked without them.
 *
 * <p>{@code -Dgradus.vectors=off} takes the scalar kernels, {@code 128}, {@code 256} or {@code 512} vectors of so many bits at
 * most; otherwise they are as wide as the processor's.
 */
public final class VectorSupport {
    private static final String PROPERTY = "gradus.vectors";
    private static final String MODULE = "jdk.incubator.vector";
    /** The most bits of a vector that the property allows, or 0 for scalar kernels. */
    private static final int BITS = decide();

    private VectorSupport() {}

    /** Whether to use the vector kernels. */
    public static boolean isUsable() {
        return BITS > 0;
    }

    /** The widest vector allowed, in bits. */
    static int maxBits() {
        return BITS;
    }

    private static int decide() {
        int bits = requested(System.getProperty(PROPERTY));
        String obstacle = bits == 0 ? null : obstacle();
        if (obstacle != null) {
            System.getLogger(VectorSupport.class.getName())
                    .log(Level.WARNING, "the slower scalar kernels are used: " + obstacle);
            return 0;
        }
        return bits;
    }

    private static int requested(@Nullable String property) {
        return switch (property) {
            case null -> 512;
            case "off" -> 0;
            case "128", "256", "512" -> Integer.parseInt(property);
            default ->
                throw new IllegalArgumentException(
                        "-D" + PROPERTY + "=" + property + " is none of off, 128, 256 and 512 (bits)");
        };
    }

    /** What keeps the Vector API from being fast here, and the way out; null if nothing does. */
    private static @Nullable String obstacle() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return "run java with --add-modules " + MODULE + " for the fast ones";
        }
        String vm = System.getProperty("java.vm.info", "").toLowerCase(Locale.ROOT);
        if (vm.contains("interpreted mode")) {
            return "java runs with -Xint";
        }
        // Without C2 each vector operation makes an object.
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (flag.startsWith("-XX:TieredStopAtLevel=") && !flag.endsWith("=4")) {
                return flag + " leaves out the compiler that knows vectors";
            }
            if (flag.equals("-client") || flag.equals("-XX:+UseJVMCICompiler")) {
                return flag + " takes a compiler that is not known to be fast with vectors";
            }
        }
        return null;
    }
}

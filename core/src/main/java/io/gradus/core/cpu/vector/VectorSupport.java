package io.gradus.core.cpu.vector;

import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides once, at startup, whether kernels use the Vector API. This requires its module and the C2 compiler, which generates
 * vector instructions. This class itself needs neither.
 *
 * <p>{@code -Dgradus.vectors=off} selects the scalar kernels; {@code 128}, {@code 256} or {@code 512} limits the vectors to that
 * many bits. By default vectors are as wide as the processor's.
 */
public final class VectorSupport {
    private static final String PROPERTY = "gradus.vectors";
    private static final String MODULE = "jdk.incubator.vector";
    /** The maximum width of vectors in bits, or 0 for scalar kernels. */
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

    /** What prevents the Vector API from being fast, and the fix; null if nothing does. */
    private static @Nullable String obstacle() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return "add --add-modules " + MODULE + " to the java command for the fast ones";
        }
        String vm = System.getProperty("java.vm.info", "").toLowerCase(Locale.ROOT);
        if (vm.contains("interpreted mode")) {
            return "java runs with -Xint";
        }
        // Without C2 each vector operation allocates an object.
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

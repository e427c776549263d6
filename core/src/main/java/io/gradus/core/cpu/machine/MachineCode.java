package io.gradus.core.cpu.machine;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides once whether products of BF16 matrices run in machine code that this program writes. The Vector API has no such
 * instructions, but a processor that has them multiplies BF16 twice as fast as floats. An {@link Assembler} in Java encodes the few
 * that are needed, {@link CodePage} makes them executable, and {@code java.lang.foreign} calls them. There is nothing to install or
 * to compile.
 *
 * <p>This needs Linux on x86-64, permission to call native functions, and what the processor says it has, whatever its name.
 * {@code -Dgradus.machinecode=off} turns it off. Without it the Vector API computes the same products, from operands rounded to BF16.
 */
public final class MachineCode {
    private static final String PROPERTY = "gradus.machinecode";
    private static final @Nullable String OBSTACLE = obstacle();

    private MachineCode() {}

    /** Whether {@link DotProductKernel} can be called. */
    public static boolean hasDotProducts() {
        return OBSTACLE == null;
    }

    /** What multiplies BF16, for people: an instruction, or why there is none. */
    public static String description() {
        return OBSTACLE == null ? "BF16 with vdpbf16ps" : "BF16 without machine code (" + OBSTACLE + ")";
    }

    private static @Nullable String obstacle() {
        String property = System.getProperty(PROPERTY, "on");
        if (property.equals("off")) {
            return "-D" + PROPERTY + "=off";
        }
        if (!property.equals("on")) {
            throw new IllegalArgumentException("-D" + PROPERTY + "=" + property + " is neither on nor off");
        }
        String system = System.getProperty("os.name", "");
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        if (!system.equals("Linux") || !processor.equals("amd64")) {
            return "it is written for Linux on amd64, not " + system + " on " + processor;
        }
        Module module = MachineCode.class.getModule();
        if (!module.isNativeAccessEnabled()) {
            return "java runs without --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
        }
        Processor can = Processor.ask();
        if (can == null) {
            return "the system allows no code that a program writes";
        }
        if (!can.avx512Bf16()) {
            return "the processor has no AVX512-BF16";
        }
        return DotProductKernel.isWritten() ? null : "the system allows no code that a program writes";
    }
}

package io.gradus.core.cpu.machine;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides once which products run in machine code that this program writes: those of BF16 matrices, and those of a few rows. The
 * Vector API has no such instructions, but a processor that has them multiplies BF16 at least twice as fast as floats, and reads
 * ahead what it will multiply. An {@link Assembler} in Java encodes the few that are needed, {@link CodePage} makes them executable, and {@code java.lang.foreign} calls them. There is
 * nothing to install or to compile.
 *
 * <p>This needs Linux on x86-64, permission to call native functions, and what the processor says it has, whatever its name.
 * {@code -Dgradus.machinecode=off} turns it off, and {@code -Dgradus.amx=off} only the use of AMX's tiles. Without it the Vector
 * API computes the same products, from operands rounded to BF16.
 */
public final class MachineCode {
    private static final String PROPERTY = "gradus.machinecode";
    private static final String TILES_PROPERTY = "gradus.amx";
    private static final String REFUSED = "the system allows no code that a program writes";

    private static final @Nullable String NO_CODE = noCode();
    private static final @Nullable Processor PROCESSOR = NO_CODE == null ? Processor.ask() : null;
    private static final @Nullable String NO_TILES = noTiles();
    private static final @Nullable String NO_DOT_PRODUCTS = noDotProducts();

    private static final boolean HAS_GEMV = PROCESSOR != null && PROCESSOR.avx512() && GemvKernel.isWritten();

    private MachineCode() {}

    /** Whether {@link TileKernel} can be called. */
    public static boolean hasTiles() {
        return NO_TILES == null;
    }

    /** Whether {@link DotProductKernel} can be called. */
    public static boolean hasDotProducts() {
        return NO_DOT_PRODUCTS == null;
    }

    /** Whether {@link GemvKernel} can be called. */
    public static boolean hasGemv() {
        return HAS_GEMV;
    }

    /** What multiplies BF16, for people: an instruction, and why not a faster one. */
    public static String description() {
        if (NO_TILES == null) {
            return "BF16 with tdpbf16ps";
        }
        return NO_DOT_PRODUCTS == null
                ? "BF16 with vdpbf16ps (" + NO_TILES + ")"
                : "BF16 without machine code (" + NO_DOT_PRODUCTS + ")";
    }

    /** Why there is no machine code at all; null if there may be. */
    private static @Nullable String noCode() {
        if (isOff(PROPERTY)) {
            return "-D" + PROPERTY + "=off";
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
        return null;
    }

    private static @Nullable String noTiles() {
        boolean off = isOff(TILES_PROPERTY); // so that a wrong value is an error in any case
        if (PROCESSOR == null) {
            return NO_CODE == null ? REFUSED : NO_CODE;
        }
        if (!PROCESSOR.amxBf16() || !PROCESSOR.avx512Bf16()) {
            return "the processor has no AMX";
        }
        if (off) {
            return "-D" + TILES_PROPERTY + "=off";
        }
        if (!Processor.requestTiles()) {
            return "the system gives this process no tiles of AMX";
        }
        if (!PackingKernel.isWritten()) {
            return REFUSED;
        }
        return TileKernel.works() ? null : "the tiles of AMX gave a wrong product";
    }

    private static @Nullable String noDotProducts() {
        if (PROCESSOR == null) {
            return NO_CODE == null ? REFUSED : NO_CODE;
        }
        if (!PROCESSOR.avx512Bf16()) {
            return "the processor has no AVX512-BF16";
        }
        return DotProductKernel.isWritten() ? null : REFUSED;
    }

    private static boolean isOff(String property) {
        String value = System.getProperty(property, "on");
        if (!value.equals("on") && !value.equals("off")) {
            throw new IllegalArgumentException("-D" + property + "=" + value + " is neither on nor off");
        }
        return value.equals("off");
    }
}

package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class TileKernelTest {

    @Test
    void codeHasTheBytesOfGnuAs() throws IOException {
        try (InputStream in = TileKernelTest.class.getResourceAsStream("tiles.txt")) {
            String bytes = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
            assertThat(HexFormat.ofDelimiter(" ").formatHex(TileKernel.code().bytes()))
                    .isEqualTo(bytes);
        }
    }

    @Test
    void productOfSmallIntegersIsExact() {
        assumeTrue(MachineCode.hasTiles(), MachineCode.description());
        assertThat(TileKernel.works()).isTrue();
    }

    @Test
    void operandsThatAreTooSmallAreRejected() {
        MemorySegment a = MemorySegment.ofArray(new int[32 * 16]);
        MemorySegment b = MemorySegment.ofArray(new int[64 * 16]);
        MemorySegment c = MemorySegment.ofArray(new float[32 * 64]);
        rejects(a, b, c, 32, IndexOutOfBoundsException.class);
        rejects(a.asSlice(4), b, c, 16, IndexOutOfBoundsException.class);
        rejects(a, b.asSlice(4), c, 16, IndexOutOfBoundsException.class);
        rejects(a, b, c.asSlice(4), 16, IndexOutOfBoundsException.class);
        rejects(a, b, c, 15, IllegalArgumentException.class);
    }

    private static void rejects(
            MemorySegment a, MemorySegment b, MemorySegment c, int steps, Class<? extends RuntimeException> type) {
        assertThatThrownBy(() -> TileKernel.multiply(a, b, c, steps, 64)).isInstanceOf(type);
    }
}

package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class TileKernelTest {

    @Test
    void codeHasTheBytesOfGnuAs() throws IOException {
        try (InputStream in = TileKernelTest.class.getResourceAsStream("tiles.txt")) {
            String bytes = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            HexFormat hex = HexFormat.ofDelimiter(" ");
            assertThat(bytes.lines())
                    .containsExactly(
                            hex.formatHex(TileKernel.code(false, false).bytes()),
                            hex.formatHex(TileKernel.code(true, true).bytes()));
        }
    }

    @Test
    void productOfSmallIntegersIsExact() {
        assumeTrue(MachineCode.hasTiles(), MachineCode.description());
        assertThat(TileKernel.works()).isTrue();
    }

    @Test
    void productOfNoBlocksIsZeroWithinItsSquare() {
        assumeTrue(MachineCode.hasTiles(), MachineCode.description());
        float[] c = new float[32 * 40];
        Arrays.fill(c, 1);
        MemorySegment nothing = MemorySegment.ofArray(new int[0]);
        TileKernel.multiply(nothing, nothing, 1, 0, false, MemorySegment.ofArray(c), 40, true);
        assertThat(c).containsOnly(1);
        TileKernel.multiply(nothing, nothing, 1, 0, false, MemorySegment.ofArray(c), 40, false);
        for (int i = 0; i < c.length; i++) {
            assertThat(c[i]).isEqualTo(i % 40 < 32 ? 0 : 1);
        }
    }

    @Test
    void operandsThatAreTooSmallAreRejected() {
        MemorySegment a = MemorySegment.ofArray(new int[32 * 16]);
        MemorySegment b = MemorySegment.ofArray(new int[32 * 16]);
        MemorySegment c = MemorySegment.ofArray(new float[32 * 32]);
        rejects(a, b, 2, false, c, 32);
        rejects(a, b, 1, true, c, 32);
        rejects(a, b, 1, false, c, 33);
        rejects(a.asSlice(4), b, 1, false, c, 32);
        rejects(a, b.asSlice(4), 1, false, c, 32);
        rejects(a, b, 1, false, c.asSlice(4), 32);
        rejects(a, b, 1, false, c, 31);
        rejects(a, b, 1, false, c, -32);
        rejects(a, b, 1, false, c, Long.MIN_VALUE / 4 + 32);
        assertThatThrownBy(() -> TileKernel.multiply(a, b, 2, 1, false, c, 32, false))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static void rejects(
            MemorySegment a, MemorySegment b, int blocks, boolean split, MemorySegment c, long stride) {
        assertThatThrownBy(() -> TileKernel.multiply(a, b, 1, blocks, split, c, stride, false))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }
}

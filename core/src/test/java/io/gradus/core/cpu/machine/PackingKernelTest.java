package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.HostCast;
import io.gradus.core.cpu.machine.PackingKernel.Form;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Panels against plain loops over the elements, each rounded by {@link HostCast}. */
final class PackingKernelTest {
    private static final int LINES = PackingKernel.LINES;
    private static final int DEPTH = PackingKernel.DEPTH;

    @BeforeAll
    static void processorHasTheInstruction() {
        assumeTrue(MachineCode.hasDotProducts(), MachineCode.description());
    }

    static Stream<Form> forms() {
        return IntStream.range(0, 12).mapToObj(i -> new Form((i & 1) != 0, (i & 2) != 0, i / 4 == 1, i / 4 == 2));
    }

    /** Three blocks of one panel, or one block of three panels, with rows that are longer in memory. */
    @ParameterizedTest
    @MethodSource("forms")
    void panelHasEveryElementInItsPlace(Form form) {
        int rows = DEPTH;
        int length = 3 * DEPTH;
        int stride = length + 7;
        int size = form.half() ? 2 : 4;
        float[] elements = elements(rows * stride, form);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate((long) elements.length * size, 64);
            for (int i = 0; i < elements.length; i++) {
                if (form.half()) {
                    source.setAtIndex(ValueLayout.JAVA_SHORT, i, HostCast.toBFloat16(elements[i]));
                } else {
                    source.setAtIndex(ValueLayout.JAVA_FLOAT, i, elements[i]);
                }
            }
            long bytes = 3L * form.block();
            MemorySegment target = arena.allocate(bytes + 64, 64);
            target.fill((byte) 0x55);
            if (form.across()) {
                PackingKernel.packPanels(form, source, (long) stride * size, target, form.block(), 3);
            } else {
                MemorySegment others = source.asSlice(16L * stride * size);
                PackingKernel.packLines(form, source, (long) stride * size, target, false, 3);
                PackingKernel.packLines(form, others, (long) stride * size, target, true, 3);
            }
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < length; column++) {
                    float element = elements[row * stride + column];
                    int line = form.across() ? column % LINES : row;
                    int k = form.across() ? row : column % DEPTH;
                    long block = (long) column / DEPTH * form.block();
                    long place =
                            block + (form.right() ? 128 * (k / 2) + 4 * line : 64 * line + 4 * (k / 2)) + k % 2 * 2;
                    float rounded = get(target, place);
                    assertThat((Object) rounded).isEqualTo(round(element));
                    if (form.split()) {
                        assertThat(get(target, place + PackingKernel.BLOCK)).isEqualTo(round(element - rounded));
                    }
                }
            }
            assertThat(target.asSlice(bytes).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0x55);
        }
    }

    private static float[] elements(int count, Form form) {
        Random random = new Random(count);
        float[] elements = new float[count];
        for (int i = 0; i < count; i++) {
            elements[i] = (random.nextFloat() - 0.5f) * (i % 5 == 0 ? 1e20f : 1);
        }
        elements[0] = 1 + 0x1p-8f; // ties
        elements[1] = 1 + 0x3p-8f;
        if (!form.split()) {
            elements[2] = Float.NaN;
            elements[3] = Float.intBitsToFloat(0x7F80_0001);
            elements[4] = Float.NEGATIVE_INFINITY;
            elements[5] = Float.MAX_VALUE;
        }
        return elements;
    }

    private static float round(float element) {
        return HostCast.fromBFloat16(HostCast.toBFloat16(element));
    }

    private static float get(MemorySegment memory, long place) {
        return HostCast.fromBFloat16(memory.get(ValueLayout.JAVA_SHORT, place));
    }

    @Test
    void operandsThatAreTooSmallAreRejected() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate(32 * 32 * 4, 64);
            MemorySegment target = arena.allocate(PackingKernel.BLOCK, 64);
            Form along = new Form(false, false, false, false);
            Form across = new Form(true, false, false, false);
            rejects(() -> PackingKernel.packLines(along, source.asSlice(16 * 128 + 4), 128, target, false, 1));
            rejects(() -> PackingKernel.packLines(along, source, 128, target.asSlice(4), true, 1));
            rejects(() -> PackingKernel.packLines(along, source, 128, target, false, 2));
            rejects(() -> PackingKernel.packPanels(across, source.asSlice(4), 128, target, PackingKernel.BLOCK, 1));
            rejects(() -> PackingKernel.packPanels(across, source, 128, target.asSlice(4), PackingKernel.BLOCK, 1));
            rejects(() -> PackingKernel.packPanels(across, source, 64, target, PackingKernel.BLOCK, 2));
            rejects(() -> PackingKernel.packLines(along, source, -64, target, false, 1));
            rejects(() -> PackingKernel.packPanels(across, source, -64, target, PackingKernel.BLOCK, 1));
            rejects(() -> PackingKernel.packPanels(across, source, 64, target, -PackingKernel.BLOCK, 2));
        }
    }

    private static void rejects(Runnable call) {
        assertThatThrownBy(call::run).isInstanceOf(IndexOutOfBoundsException.class);
    }
}

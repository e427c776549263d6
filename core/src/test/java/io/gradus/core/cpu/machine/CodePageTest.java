package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Code that the program writes, and what protects it. */
final class CodePageTest {

    @BeforeAll
    static void codeCanBeWritten() {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "code is written on Linux only");
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "code is written for amd64 only");
        assumeTrue(CodePage.write(new byte[1]) != null, "the system allows no code that a program writes");
    }

    @Test
    void routineReturnsItsNumber() throws Throwable {
        Assembler code = new Assembler();
        code.move(Register.RAX, 42);
        code.ret();
        MethodHandle routine = CodePage.routine(code, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
        assertThat((long) routine.invokeExact()).isEqualTo(42);
    }

    @Test
    void pageIsExecutableAndNotWritable() throws Exception {
        MemorySegment page = CodePage.write(new byte[] {(byte) 0xC3});
        List<String> mappings = Files.readAllLines(Path.of("/proc/self/maps"));
        String own = mappings.stream()
                .filter(line -> {
                    String[] range = line.split(" ")[0].split("-");
                    return Long.parseUnsignedLong(range[0], 16) <= page.address()
                            && page.address() < Long.parseUnsignedLong(range[1], 16);
                })
                .findFirst()
                .orElseThrow();
        assertThat(own.split(" ")[1]).isEqualTo("r-xp");
    }

    @Test
    void codeMayBeLongerThanAPage() throws Throwable {
        Assembler code = new Assembler();
        for (int i = 0; i < 3000; i++) {
            code.add(Register.RAX, Register.RDI);
        }
        code.move(Register.RAX, Register.RDI);
        code.ret();
        MethodHandle routine =
                CodePage.routine(code, FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        assertThat((long) routine.invokeExact(7L)).isEqualTo(7);
    }

    @Test
    void processorSaysWhatTheSystemLists() throws Exception {
        String flags = Files.readString(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .orElse("");
        Processor processor = Processor.ask();
        assertThat(processor.avx512()).isEqualTo(flags.contains(" avx512f"));
        assertThat(processor.avx512Bf16()).isEqualTo(flags.contains(" avx512_bf16"));
        assertThat(processor.amxBf16()).isEqualTo(flags.contains(" amx_bf16"));
    }
}

package io.gradus.core.cpu.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Large blocks use huge pages if Linux provides them, and remain zero. */
class HugePagesTest {
    private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    private static final Path MAPPINGS = Path.of("/proc/self/smaps");
    private static final long BYTES = (32 << 20) + 4096;

    @Test
    void blockWithHugePagesIsZero() {
        MemorySegment block = Arena.ofAuto().allocate(BYTES, 64);

        HugePages.under(block);

        assertThat(block.mismatch(MemorySegment.ofArray(new byte[(int) BYTES]))).isEqualTo(-1);
    }

    @Test
    void largeBlockUsesHugePages() throws IOException {
        assumeThat(Files.isReadable(SETTING) && Files.isReadable(MAPPINGS))
                .as("Linux with huge pages")
                .isTrue();
        assumeThat(Files.readString(SETTING)).contains("[madvise]");
        MemorySegment block = Arena.ofAuto().allocate(BYTES, 64);

        HugePages.under(block);

        // Linux decides whether it provides them now.
        assertThat(flags(block.address() + BYTES / 2)).contains("hg");
    }

    /** The Linux kernel's flags of the memory at an address, as in {@code VmFlags: rd wr hg}. */
    private static List<String> flags(long address) throws IOException {
        boolean inside = false;
        for (String line : Files.readAllLines(MAPPINGS)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                long from = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
                long to = Long.parseUnsignedLong(line.substring(line.indexOf('-') + 1, line.indexOf(' ')), 16);
                inside = address >= from && address < to;
            } else if (inside && line.startsWith("VmFlags:")) {
                return List.of(line.substring("VmFlags:".length()).strip().split(" "));
            }
        }
        throw new AssertionError("no mapping at " + Long.toHexString(address));
    }
}

package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A header that does not account for every byte of its file is rejected, with the reason and at low cost. */
class HeaderTest {
    private static final String SOUND = "{" + RawFile.tensor("a", "F32", "[2]", 0, 8) + "}";

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("model.safetensors");
    }

    private String refusal(String header, int dataBytes) throws IOException {
        return RawFile.refusal(RawFile.write(file, header, dataBytes));
    }

    /** Writes a sparse file of any length. */
    private void writeSparse(long headerLength, String headerStart, long fileLength) throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.writeLong(Long.reverseBytes(headerLength));
            sparse.write(headerStart.getBytes(StandardCharsets.UTF_8));
            sparse.setLength(fileLength);
        }
    }

    @Test
    void validHeaderIsRead() throws IOException {
        String header = "{\"__metadata__\":{\"format\":\"pt\"}," + RawFile.tensor("b", "F32", "[1, 2]", 2, 10) + ","
                + RawFile.tensor("a", "BF16", "[]", 0, 2) + "}   ";
        try (SafetensorsFile opened = SafetensorsFile.open(RawFile.write(file, header, 10))) {
            assertThat(opened.names()).containsExactly("b", "a");
            assertThat(opened.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(opened.entry("b").toString())
                    .isEqualTo("Entry[name=b, dtype=F32, shape=[1, 2], begin=2, end=10]");
            assertThat(opened.entry("a").byteSize()).isEqualTo(2);
            assertThat(opened.contains("c")).isFalse();
        }
    }

    @Test
    void fileWithoutTensorsIsValid() throws IOException {
        try (SafetensorsFile opened = SafetensorsFile.open(RawFile.write(file, "{}", 0))) {
            assertThat(opened.names()).isEmpty();
        }
    }

    @Test
    void emptyTensorsMayShareAnOffset() throws IOException {
        String header = "{" + RawFile.tensor("a", "F32", "[2]", 0, 8) + "," + RawFile.tensor("b", "F32", "[0, 9]", 0, 0)
                + "," + RawFile.tensor("c", "F32", "[0]", 8, 8) + "}";
        try (SafetensorsFile opened = SafetensorsFile.open(RawFile.write(file, header, 8))) {
            assertThat(opened.names()).containsExactly("a", "b", "c");
        }
    }

    @Test
    void truncatedFileIsRejected() throws IOException {
        byte[] whole = RawFile.bytes(SOUND, new byte[8]);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThat(RawFile.refusal(file)).as("cut to %d bytes", length).contains("download or export it again");
        }
    }

    @Test
    void fileWithExtraBytesIsRejected() throws IOException {
        assertThat(refusal(SOUND, 9)).contains("the tensors end at 8, but 9 bytes follow the header");
    }

    @Test
    void headerLongerThanTheFileIsRejected() throws IOException {
        writeSparse(1000, "{}", 100);
        assertThat(RawFile.refusal(file)).contains("claim a header of 1000 bytes, longer than the file of 100");
        writeSparse(-1, "{}", 100);
        assertThat(RawFile.refusal(file)).contains("claim a header of 18446744073709551615 bytes");
        writeSparse(Long.MAX_VALUE, "{}", 100);
        assertThat(RawFile.refusal(file)).contains("longer than the file");
    }

    @Test
    void headerAboveTheLimitIsRejected() throws IOException {
        writeSparse(100_000_001, "{}", 200_000_000);
        assertThat(RawFile.refusal(file)).contains("has 100000001 bytes, above the format's limit of 100000000");
    }

    @Test
    void rejectingHugeSizesAllocatesLittle() throws IOException {
        String manyElements = "{" + RawFile.tensor("a", "F32", "[4611686018427387904]", 0, 8) + "}";
        refusal(manyElements, 8); // loads the classes
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();

        refusal(manyElements, 8);
        writeSparse(Long.MAX_VALUE, "{}", 100);
        RawFile.refusal(file);
        writeSparse(150_000_000, "{", 200_000_000);
        RawFile.refusal(file);
        writeSparse(99_000_000, "{\"a", 100_000_000);
        RawFile.refusal(file);

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1_000_000);
        assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
    }

    @Test
    void unboundedNameIsRejectedEarly() throws IOException {
        byte[] header = new byte[20_000_000];
        Arrays.fill(header, (byte) 'x');
        header[0] = '{';
        header[1] = '"';
        Files.write(file, RawFile.bytes(header, new byte[0]));
        RawFile.refusal(file);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(RawFile.refusal(file)).contains("not valid JSON");
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4_000_000);
    }

    @Test
    void headerThatIsNotUtf8IsRejected() throws IOException {
        byte[] header = SOUND.getBytes(StandardCharsets.UTF_8);
        header[2] = (byte) 0xFF;
        Files.write(file, RawFile.bytes(header, new byte[8]));
        assertThat(RawFile.refusal(file)).contains("the header is not UTF-8");
        // An overlong form of '/', which lenient decoders accept.
        byte[] overlong = "{\"__\":".getBytes(StandardCharsets.UTF_8);
        overlong[2] = (byte) 0xC0;
        overlong[3] = (byte) 0xAF;
        Files.write(file, RawFile.bytes(overlong, new byte[0]));
        assertThat(RawFile.refusal(file)).contains("the header is not UTF-8");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]                                     | does not begin with '{'",
                "hello                                  | does not begin with '{'",
                "{                                      | not valid JSON",
                "{]                                     | not valid JSON",
                "{} {}                                  | should be nothing after its closing brace and is an object",
                "{\"a\":1}                              | tensor 'a' should be an object and is a whole number",
                "{\"a\":null}                           | tensor 'a' should be an object and is null",
                "{\"a\":{}}                             | needs a dtype, a shape and two data_offsets",
                "{\"a\":{\"x\":1}}                      | tensor 'a' has the unknown field 'x'",
                "{\"a\":{\"dtype\":1}}                  | tensor 'a': dtype should be a string and is a whole number",
                "{\"a\":{\"shape\":1}}                  | tensor 'a': shape should be an array",
                "{\"a\":{\"shape\":[1.5]}}              | tensor 'a': shape should be a whole number and is a fraction",
                "{\"a\":{\"shape\":[\"1\"]}}            | tensor 'a': shape should be a whole number and is a string",
                "{\"a\":{\"shape\":[[1]]}}              | tensor 'a': shape should be a whole number and is an array",
                "{\"a\":{\"shape\":[-1]}}               | tensor 'a': shape is -1, which is negative or above 2^63 - 1",
                "{\"a\":{\"shape\":[9223372036854775808]}} | which is negative or above 2^63 - 1",
                "{\"a\":{\"data_offsets\":[0,1,2]}}     | data_offsets has more than 2 numbers",
                "{\"a\":{\"shape\":[],\"shape\":[]}}    | tensor 'a' has the name 'shape' twice",
                "{\"__metadata__\":[]}                  | __metadata__ should be an object and is an array",
                "{\"__metadata__\":{\"a\":1}}           | the value of a in __metadata__ should be a string",
                "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}} | __metadata__ has the name 'a' twice",
            })
    void malformedHeaderIsRejected(String header, String reason) throws IOException {
        assertThat(refusal(header, 0)).contains(reason).contains("download or export it again");
    }

    @Test
    void duplicateNameIsRejected() throws IOException {
        String twice =
                "{" + RawFile.tensor("a", "F32", "[1]", 0, 4) + "," + RawFile.tensor("a", "F32", "[1]", 4, 8) + "}";
        assertThat(refusal(twice, 8)).contains("the header has the name 'a' twice");
    }

    @Test
    void deepNestingIsRejected() throws IOException {
        assertThat(refusal("{\"a\":" + "[".repeat(1_000_000), 0)).contains("should be an object and is an array");
        assertThat(refusal("{\"a\":{\"shape\":" + "[".repeat(1_000_000), 0)).contains("should be a whole number");
    }

    @Test
    void tooManyAxesAreRejected() throws IOException {
        String shape = "[" + "1,".repeat(64) + "1]";
        assertThat(refusal("{" + RawFile.tensor("a", "F32", shape, 0, 4) + "}", 4))
                .contains("more than 64 numbers");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "F32 | [3]    | 0 | 8  | has 8 bytes, which is not what F32 [3] takes",
                "BF16| [2]    | 0 | 8  | has 8 bytes, which is not what BF16 [2] takes",
                "F4  | [15]   | 0 | 8  | has 8 bytes, which is not what F4 [15] takes",
                "F32 | [2]    | 8 | 0  | begins at 8, after its end at 0",
                "F32 | [3]    | 0 | 12 | ends at 12, past the 8 bytes that follow the header",
                "F32 | [1]    | 4 | 8  | begins at 4 and leaves a hole",
                "F32 | [1]    | 0 | 4  | the tensors end at 4, but 8 bytes follow the header",
                "F32 | [4611686018427387906] | 0 | 8 | which is not what F32 [4611686018427387906] takes",
                "F32 | [4294967296, 4294967296] | 0 | 8 | more elements than can be counted",
                "F32 | [2]    | 0 | 9223372036854775807 | ends at 9223372036854775807, past the 8 bytes",
            })
    void inconsistentOffsetsAreRejected(String dtype, String shape, long begin, long end, String reason)
            throws IOException {
        assertThat(refusal("{" + RawFile.tensor("a", dtype, shape, begin, end) + "}", 8))
                .contains("tensor")
                .contains(reason);
    }

    @Test
    void overlapsAndHolesAreRejected() throws IOException {
        String first = "{" + RawFile.tensor("a", "F32", "[2]", 0, 8) + ",";
        assertThat(refusal(first + RawFile.tensor("b", "F32", "[2]", 4, 12) + "}", 12))
                .contains("tensor 'b' begins at 4 and overlaps the tensor before it, which ends at 8");
        assertThat(refusal(first + RawFile.tensor("b", "F32", "[2]", 0, 8) + "}", 8))
                .contains("overlaps");
        assertThat(refusal(first + RawFile.tensor("b", "F32", "[2]", 12, 20) + "}", 20))
                .contains("tensor 'b' begins at 12 and leaves a hole after the tensor before it, which ends at 8");
    }

    @Test
    void unknownDtypeIsRejected() throws IOException {
        assertThat(refusal("{" + RawFile.tensor("a", "F33", "[2]", 0, 8) + "}", 8))
                .contains("tensor 'a' has the unknown dtype 'F33'; save it in one of F64, F32, BF16, F16, I64");
    }

    @Test
    void gitLfsPointerIsReported() throws IOException {
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        assertThat(RawFile.refusal(file)).contains("run `git lfs pull`");
    }
}

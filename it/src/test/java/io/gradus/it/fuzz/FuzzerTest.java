package io.gradus.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.it.fuzz.Fuzzer.Result;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A load that neither succeeds nor ends with a useful message is a finding. */
class FuzzerTest {
    @TempDir
    private Path folder;

    /** A kind whose samples all load in the same way. */
    private record Fake(Callable<Object> loading) implements Kind {
        @Override
        public String name() {
            return "fake";
        }

        @Override
        public Map<String, byte[]> sample(RandomGenerator random) {
            return Map.of("in/a.txt", new byte[] {(byte) random.nextInt()});
        }

        @Override
        public Object load(Path folder) throws Exception {
            return loading.call();
        }
    }

    private Result run(Callable<Object> loading) throws IOException {
        return new Fuzzer(new Fake(loading), 1, folder).run(32, 4);
    }

    private void assertFinding(String problem, Exception thrown) throws IOException {
        Result result = run(() -> {
            throw thrown;
        });
        assertThat(result.bad()).isEqualTo(4);
        assertThat(result.found()).hasSize(1).first().asString().contains("fake 32: " + problem);
        assertThat(folder.resolve("fake-32/finding.txt")).content().startsWith(problem);
        assertThat(folder.resolve("fake-32/in/a.txt")).hasSize(1);
    }

    @Test
    void usefulMessageIsNoFinding() throws IOException {
        Result result = run(() -> {
            throw new IOException("a.txt:3: it is not text");
        });
        assertThat(result.rejected()).isEqualTo(4);
        assertThat(result.found()).isEmpty();
        assertThat(run(() -> {
                            throw new RecipeException("steps is 0");
                        })
                        .found())
                .isEmpty();
    }

    @Test
    void loadedFileIsNoFinding() throws IOException {
        Result result = run(() -> "content");
        assertThat(result.loaded()).isEqualTo(4);
        assertThat(result.found()).isEmpty();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void otherExceptionsAreFindings() throws IOException {
        assertFinding("it ends with java.lang.NullPointerException", new NullPointerException("a.txt"));
    }

    @Test
    void numberFormatExceptionIsAFinding() throws IOException {
        assertFinding("it ends with java.lang.NumberFormatException", new NumberFormatException("a.txt"));
    }

    @Test
    void missingMessageIsAFinding() throws IOException {
        assertFinding("the message is missing", new IOException());
    }

    @Test
    void messageWithoutTheFileIsAFinding() throws IOException {
        assertFinding("the message does not name the file", new IOException("it is not text"));
    }

    @Test
    void messageForProgrammersIsAFinding() throws IOException {
        assertFinding("the message speaks of internal things", new IOException("a.txt: java.lang.String"));
    }

    @Test
    void errorIsAFinding() throws IOException {
        Result result = run(() -> {
            throw new StackOverflowError();
        });
        assertThat(result.found()).hasSize(1).first().asString().contains("java.lang.StackOverflowError");
    }

    @Test
    void hugeAllocationIsAFinding() throws IOException {
        Result result = run(() -> Arrays.hashCode(new byte[80 << 20]));
        assertThat(result.found()).hasSize(1).first().asString().contains("it took 80 MiB of the heap");
    }

    @Test
    void otherResultTheSecondTimeIsAFinding() throws IOException {
        AtomicInteger count = new AtomicInteger();
        Result result = run(count::incrementAndGet);
        assertThat(result.bad()).isEqualTo(1); // number 32 is loaded twice
        assertThat(result.found().getFirst()).contains("it loads differently the second time");
    }

    @Test
    void sampleIsAFunctionOfSeedAndNumber() {
        Fuzzer fuzzer = new Fuzzer(new Fake(() -> ""), 7, folder);
        byte[] sample = fuzzer.sample(12_345).get("in/a.txt");
        assertThat(new Fuzzer(new Fake(() -> ""), 7, folder).sample(12_345).get("in/a.txt"))
                .isEqualTo(sample);
        assertThat(Files.exists(folder.resolve("fake.running"))).isFalse();
    }
}

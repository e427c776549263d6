package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenStoreTest {
    private static TokenizedDocument tokens(int from, int to) {
        boolean[] counts = new boolean[to - from];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = (from + i) % 3 == 0;
        }
        return new TokenizedDocument(IntStream.range(from, to).toArray(), counts);
    }

    private static TokenStore store(int limit) throws IOException {
        var builder = new TokenStore.Builder(limit);
        builder.add(tokens(0, 7));
        builder.add(tokens(7, 7));
        builder.add(tokens(7, 5000));
        assertThat(builder.size()).isEqualTo(5000);
        return builder.build();
    }

    @Test
    void tokensAreTheSameInMemoryAndInAFile() throws IOException {
        for (int limit : new int[] {1, 2, 100, 4096, 5000, 10_000}) {
            TokenStore store = store(limit);
            assertThat(store.size()).isEqualTo(5000);
            int[] read = store.read(0, 5000);
            for (int i = 0; i < 5000; i++) {
                assertThat(TokenStore.id(read[i])).isEqualTo(i);
                assertThat(TokenStore.isTarget(read[i])).isEqualTo(i % 3 == 0);
            }
            assertThat(store.read(4995, 5))
                    .isEqualTo(IntStream.range(4995, 5000).map(i -> read[i]).toArray());
            assertThat(store.read(5000, 0)).isEmpty();
        }
    }

    @Test
    void tokensOutsideTheStoreAreRejected() throws IOException {
        TokenStore store = store(100);
        assertThatThrownBy(() -> store.read(4999, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> store.read(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void largestIdIsKept() throws IOException {
        var builder = new TokenStore.Builder();
        builder.add(new TokenizedDocument(new int[] {Integer.MAX_VALUE, 0}, new boolean[] {true, false}));
        int[] read = builder.build().read(0, 2);
        assertThat(TokenStore.id(read[0])).isEqualTo(Integer.MAX_VALUE);
        assertThat(TokenStore.isTarget(read[0])).isTrue();
        assertThat(TokenStore.isTarget(read[1])).isFalse();
        assertThatThrownBy(() -> builder.add(new TokenizedDocument(new int[] {-1}, new boolean[1])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the id -1");
    }

    @Test
    void interruptedReadSaysSo() throws IOException {
        TokenStore store = store(100);
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> store.read(0, 10))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("interrupted");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void temporaryFileThatCannotBeWrittenIsNamedWithARemedy(@TempDir Path folder) throws IOException {
        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> new TokenStore.Builder(100, missing).add(tokens(0, 200)))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(missing.toString(), "cannot be written", "-Djava.io.tmpdir");
        var builder = new TokenStore.Builder(100, folder);
        builder.add(tokens(0, 200));
        TokenStore store = builder.build();
        assertThat(folder).isEmptyDirectory();
        assertThat(store.read(199, 1)).hasSize(1);
    }
}

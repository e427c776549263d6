package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The hash is SHA-256, however the bytes come. */
class Sha256Test {
    @Test
    void hashesEqualTheExamplesOfTheStandard() {
        MemorySegment abc = MemorySegment.ofArray("abc".getBytes(StandardCharsets.US_ASCII));

        // FIPS 180-4, and the hash of nothing.
        assertThat(new Sha256().add(abc).hex())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(new Sha256().hex()).isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    @Test
    void hashIsIndependentOfPieces() {
        byte[] bytes = new byte[2_500_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31);
        }
        MemorySegment all = MemorySegment.ofArray(bytes);

        assertThat(new Sha256().add(all.asSlice(0, 7)).add(all.asSlice(7)).hex())
                .isEqualTo(new Sha256().add(all).hex());
    }
}

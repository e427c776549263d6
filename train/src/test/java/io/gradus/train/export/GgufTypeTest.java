package io.gradus.train.export;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufTypeTest {
    private static final Path NUMBERS = Path.of("src/test/fixtures/gguf/numbers.json");

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @ParameterizedTest
    @EnumSource
    void bytesEqualThoseOfGgufInPython(GgufType type) throws IOException {
        JsonNode fixture = new ObjectMapper().readTree(NUMBERS.toFile());
        float[] values = new float[fixture.get("values").size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.intBitsToFloat(fixture.get("values").get(i).intValue());
        }
        ByteBuffer bytes = buffer((int) type.bytes(values.length));
        assertThat(type.encode(values, bytes)).isEqualTo(-1);
        assertThat(HexFormat.of().formatHex(bytes.array()))
                .isEqualTo(fixture.get("bytes").get(type.toString()).textValue());
    }

    @Test
    void numberBeyondTheRangeOfHalfPrecisionIsFound() {
        assertThat(GgufType.F16.encode(new float[] {1, 65_504, 65_520}, buffer(6)))
                .isEqualTo(2);
        assertThat(GgufType.BF16.encode(new float[] {65_520, Float.MAX_VALUE}, buffer(4)))
                .isEqualTo(1);
        float[] block = new float[64];
        block[40] = 1e7f;
        assertThat(GgufType.Q8_0.encode(block, buffer(68))).isEqualTo(32);
    }
}

package io.gradus.data.tokenizer.huggingface;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The visible character for each byte in a byte-level BPE (Radford et al. 2019, GPT-2): printable Latin-1 bytes are themselves, the
 * others are U+0100, U+0101, …
 */
public final class ByteLevelAlphabet {
    private static final char[] CHARACTERS = new char[256];
    private static final int[] BYTES = new int[512];

    static {
        char next = 256;
        java.util.Arrays.fill(BYTES, -1);
        for (int b = 0; b < 256; b++) {
            boolean isPrinted = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
            CHARACTERS[b] = isPrinted ? (char) b : next++;
            BYTES[CHARACTERS[b]] = b;
        }
    }

    private ByteLevelAlphabet() {}

    /** The character for a byte, 0 to 255. */
    public static char character(int unsignedByte) {
        return CHARACTERS[unsignedByte];
    }

    /** The text of tokens in this alphabet. A token with another character stands for itself. Malformed UTF-8 becomes U+FFFD. */
    static String decode(List<String> tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String token : tokens) {
            if (token.chars().allMatch(c -> c < BYTES.length && BYTES[c] >= 0)) {
                token.chars().forEach(c -> bytes.write(BYTES[c]));
            } else {
                bytes.writeBytes(token.getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}

package io.gradus.data.tokenizer.huggingface;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;

/**
 * The table of a {@code Precompiled} normalizer, as SentencePiece stores it: the size of a double-array trie in bytes, the trie, and
 * the replacements, each ended by a zero byte. The trie maps UTF-8 bytes to the start of a replacement.
 *
 * <p>The native library follows the trie without looking whether an index is inside it. So all indexes that any text can reach are
 * checked here.
 */
final class Charsmap {
    private final int[] units;
    private final byte[] replacements;
    private final String base64;
    private double growth = 1;

    /**
     * Reads a table.
     *
     * @param base64 its bytes in Base64
     * @throws IllegalArgumentException if a text could lead outside the table; the message has the reason
     */
    Charsmap(String base64) {
        byte[] content = decode(base64);
        this.base64 = Base64.getEncoder().encodeToString(content);
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        require(bytes.remaining() >= 4);
        int size = bytes.getInt();
        require(size >= 4 && size % 4 == 0 && size <= bytes.remaining());
        units = new int[size / 4];
        bytes.asIntBuffer().get(units);
        bytes.position(bytes.position() + size);
        replacements = new byte[bytes.remaining()];
        bytes.get(replacements);
        try {
            CharBuffer unused = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(replacements));
            require(unused.remaining() <= replacements.length);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("has replacements that are not UTF-8", e);
        }
        visitAll();
    }

    private static byte[] decode(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("is not Base64", e);
        }
    }

    /** The largest number of bytes that replace one byte. */
    double growth() {
        return growth;
    }

    /** The table in Base64 with padding. */
    String toBase64() {
        return base64;
    }

    /** Visits every state of the trie; a state is the position from which a byte leads to the next unit. */
    private void visitAll() {
        BitSet visited = new BitSet();
        Deque<Integer> open = new ArrayDeque<>();
        int root = offset(units[0]);
        visited.set(root);
        open.add(root);
        for (int depth = 1; !open.isEmpty(); depth++) {
            for (int states = open.size(); states > 0; states--) {
                int state = open.remove();
                require((state | 0xFF) < units.length);
                for (int b = 1; b < 256; b++) {
                    int unit = units[state ^ b];
                    if ((unit & 0x800000FF) != b) {
                        continue;
                    }
                    int next = (state ^ b) ^ offset(unit);
                    if ((unit & 0x100) != 0) {
                        require(next < units.length);
                        replacement(units[next] & 0x7FFFFFFF, depth);
                    }
                    if (!visited.get(next)) {
                        visited.set(next);
                        open.add(next);
                    }
                }
            }
        }
    }

    private static int offset(int unit) {
        return (unit >>> 10) << ((unit & 0x200) >>> 6);
    }

    /** Checks that a replacement begins at a character, and notes how much longer it is than what it replaces. */
    private void replacement(int start, int depth) {
        require(start <= replacements.length);
        require(start == replacements.length || (replacements[start] & 0xC0) != 0x80);
        int end = start;
        while (end < replacements.length && replacements[end] != 0) {
            end++;
        }
        growth = Math.max(growth, (double) (end - start) / depth);
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new IllegalArgumentException("is not a table of SentencePiece");
        }
    }
}

package io.gradus.it.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes of files without regard to their format. */
final class Bytes {
    private static final byte[] NOTABLE =
            "\0\n\r\t \"'`{}[]():,;=*&!|>%@#~<-+_.\\/09azAZ\u007f".getBytes(StandardCharsets.UTF_8);
    private static final long[] LENGTHS = {
        0,
        1,
        7,
        8,
        255,
        256,
        65_535,
        1L << 20,
        100_000_000,
        100_000_001,
        Integer.MAX_VALUE,
        1L << 31,
        (1L << 32) - 1,
        1L << 32,
        1L << 53,
        Long.MAX_VALUE - 7,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -8,
        -1
    };

    private Bytes() {}

    /** One to four changes. Tokens of the format are inserted now and then. */
    static byte[] mutate(byte[] file, List<String> tokens, RandomGenerator random) {
        byte[] changed = file;
        do {
            changed = once(changed, tokens, random);
        } while (random.nextInt(3) == 0);
        return changed;
    }

    private static byte[] once(byte[] file, List<String> tokens, RandomGenerator random) {
        int from = random.nextInt(file.length + 1);
        int to = Math.min(file.length, from + (random.nextBoolean() ? 1 + random.nextInt(4) : random.nextInt(64)));
        return switch (random.nextInt(12)) {
            case 0 -> set(file, from, (byte) (1 << random.nextInt(8)), true);
            case 1 -> set(file, from, NOTABLE[random.nextInt(NOTABLE.length)], false);
            case 2 -> set(file, from, (byte) random.nextInt(), false);
            case 3 -> Arrays.copyOf(file, from);
            case 4 -> splice(file, from, to, new byte[0]);
            case 5 -> splice(file, from, from, Arrays.copyOfRange(file, from, to));
            case 6 -> splice(file, from, from, random(random, 1 + random.nextInt(16)));
            case 7 -> splice(file, from, to, random(random, to - from));
            case 8 -> {
                byte[] length = ByteBuffer.allocate(8)
                        .order(random.nextInt(8) > 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN)
                        .putLong(LENGTHS[random.nextInt(LENGTHS.length)])
                        .array();
                int at = random.nextBoolean() ? 0 : from;
                yield splice(file, at, Math.min(file.length, at + 8), length);
            }
            case 9 -> {
                int other = random.nextInt(file.length + 1);
                yield splice(file, other, other, Arrays.copyOfRange(file, from, to));
            }
            case 10 -> {
                byte[] block = Arrays.copyOfRange(file, from, to);
                yield splice(file, from, from, repeat(block, 1 << random.nextInt(10)));
            }
            default -> {
                String token = tokens.isEmpty() ? "" : tokens.get(random.nextInt(tokens.size()));
                yield splice(file, from, random.nextBoolean() ? from : to, token.getBytes(StandardCharsets.UTF_8));
            }
        };
    }

    private static byte[] set(byte[] file, int at, byte value, boolean flip) {
        if (at == file.length) {
            return splice(file, at, at, new byte[] {value});
        }
        byte[] changed = file.clone();
        changed[at] = flip ? (byte) (changed[at] ^ value) : value;
        return changed;
    }

    private static byte[] random(RandomGenerator random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] repeat(byte[] block, int times) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < times; i++) {
            out.writeBytes(block);
        }
        return out.toByteArray();
    }

    /** Replaces a range. */
    static byte[] splice(byte[] file, int from, int to, byte[] middle) {
        byte[] changed = Arrays.copyOf(file, from + middle.length + file.length - to);
        System.arraycopy(middle, 0, changed, from, middle.length);
        System.arraycopy(file, to, changed, from + middle.length, file.length - to);
        return changed;
    }
}

package io.gradus.train.export;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import java.nio.ByteBuffer;
import java.util.Locale;

/** How the elements of a tensor are stored in a GGUF file. */
public enum GgufType {
    /** IEEE 754 single precision. */
    F32(0, 0, 1, 4),
    /** IEEE 754 half precision. */
    F16(1, 1, 1, 2),
    /** bfloat16. */
    BF16(30, 32, 1, 2),
    /** Blocks of 32 elements: a scale in half precision, and 32 signed bytes. 8.5 bits per element. */
    Q8_0(8, 7, 32, 34);

    private static final float LARGEST_CODE = 127;

    private final int code;
    private final int fileType;
    private final int blockElements;
    private final int blockBytes;

    GgufType(int code, int fileType, int blockElements, int blockBytes) {
        this.code = code;
        this.fileType = fileType;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** The type with the precision of a dtype. */
    public static GgufType of(DType dtype) {
        return switch (dtype) {
            case F16 -> F16;
            case BF16 -> BF16;
            default -> F32;
        };
    }

    /** The number of the type in a tensor's description. */
    int code() {
        return code;
    }

    /** The number under {@code general.file_type} of a file whose matrices have this type. */
    int fileType() {
        return fileType;
    }

    /** Whether rows of a length can be stored. */
    boolean fits(long length) {
        return length % blockElements == 0;
    }

    /** The number of bytes of some elements, whole blocks. */
    long bytes(long elements) {
        return elements / blockElements * blockBytes;
    }

    /**
     * Appends a row to a buffer in little-endian order.
     *
     * @param row whole blocks of finite numbers
     * @return the index of the first element that the type cannot hold, or −1
     */
    int encode(float[] row, ByteBuffer target) {
        for (int from = 0; from < row.length; from += blockElements) {
            if (!encode(row, from, target)) {
                return from;
            }
        }
        return -1;
    }

    private boolean encode(float[] row, int at, ByteBuffer target) {
        switch (this) {
            case F32 -> target.putFloat(row[at]);
            case F16 -> target.putShort(Float.floatToFloat16(row[at]));
            case BF16 -> target.putShort(HostCast.toBFloat16(row[at]));
            case Q8_0 -> {
                return quantize(row, at, target);
            }
        }
        return isFinite(target);
    }

    /** Whether rounding did not make the last element infinite. */
    private boolean isFinite(ByteBuffer target) {
        int at = target.position();
        return switch (this) {
            case F16 -> Float.isFinite(Float.float16ToFloat(target.getShort(at - 2)));
            case BF16 -> Float.isFinite(HostCast.fromBFloat16(target.getShort(at - 2)));
            default -> true;
        };
    }

    /**
     * A block as ggml's {@code quantize_row_q8_0_ref} computes it: the scale {@code d = max|x| / 127}, and
     * {@code round(x · (1/d))}, half away from zero, with {@code d} in single precision.
     */
    private static boolean quantize(float[] row, int at, ByteBuffer target) {
        float largest = 0;
        for (int i = 0; i < Q8_0.blockElements; i++) {
            largest = Math.max(largest, Math.abs(row[at + i]));
        }
        float scale = largest / LARGEST_CODE;
        float inverse = scale == 0 ? 0 : 1 / scale;
        short half = Float.floatToFloat16(scale);
        target.putShort(half);
        for (int i = 0; i < Q8_0.blockElements; i++) {
            float scaled = row[at + i] * inverse;
            int whole = (int) Math.abs(scaled);
            int rounded = Math.abs(scaled) - whole >= 0.5f ? whole + 1 : whole;
            target.put((byte) (scaled < 0 ? -rounded : rounded));
        }
        return Float.isFinite(Float.float16ToFloat(half)) && Float.isFinite(inverse);
    }

    /** As on the command line: {@code f32}, {@code f16}, {@code bf16} or {@code q8_0}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}

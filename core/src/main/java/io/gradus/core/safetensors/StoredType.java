package io.gradus.core.safetensors;

import io.gradus.core.DType;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The element types of the format. A file may contain tensors of any of them, but only some can be read. Integers of all widths
 * are read as {@link DType#I32}; unsigned bytes also as {@link DType#U8}.
 */
enum StoredType {
    F64(64, DType.F64, Kind.FLOAT),
    F32(32, DType.F32, Kind.FLOAT),
    BF16(16, DType.BF16, Kind.FLOAT),
    F16(16, DType.F16, Kind.FLOAT),
    I64(64, null, Kind.INTEGER),
    I32(32, DType.I32, Kind.INTEGER),
    I16(16, null, Kind.INTEGER),
    I8(8, null, Kind.INTEGER),
    U8(8, DType.U8, Kind.INTEGER),
    BOOL(8, null, Kind.INTEGER),
    U64(64, null, Kind.UNREADABLE),
    U32(32, null, Kind.UNREADABLE),
    U16(16, null, Kind.UNREADABLE),
    C64(64, null, Kind.UNREADABLE),
    F8_E4M3(8, null, Kind.UNREADABLE),
    F8_E5M2(8, null, Kind.UNREADABLE),
    F8_E8M0(8, null, Kind.UNREADABLE),
    F6_E2M3(6, null, Kind.UNREADABLE),
    F6_E3M2(6, null, Kind.UNREADABLE),
    F4(4, null, Kind.UNREADABLE);

    /** How elements can be read. */
    enum Kind {
        FLOAT,
        INTEGER,
        UNREADABLE
    }

    private final int bits;
    private final @Nullable DType dtype;
    private final Kind kind;

    StoredType(int bits, @Nullable DType dtype, Kind kind) {
        this.bits = bits;
        this.dtype = dtype;
        this.kind = kind;
    }

    /** The type with a given name, or null if the format has none. */
    static @Nullable StoredType named(String name) {
        for (StoredType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }

    /** The names of the types that can be read, for an error. */
    static String readable() {
        return Arrays.stream(values())
                .filter(type -> type.kind != Kind.UNREADABLE)
                .map(StoredType::name)
                .collect(Collectors.joining(", "));
    }

    /** Bits per element; fewer than eight for packed types. */
    int bits() {
        return bits;
    }

    /** The dtype with the same representation, or null if there is none. */
    @Nullable DType dtype() {
        return dtype;
    }

    Kind kind() {
        return kind;
    }
}

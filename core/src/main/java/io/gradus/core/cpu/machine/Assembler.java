package io.gradus.core.cpu.machine;

import java.io.ByteArrayOutputStream;

/**
 * An assembler for exactly the instructions of x86-64 that our routines use. Operands are in Intel's order, the target first.
 * Vector registers (zmm, 512 bits) have numbers from 0 to 31, tile registers (tmm) from 0 to 7.
 *
 * <p>Encodings are those of the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, and each is the one that GNU
 * as chooses. An instruction is a prefix, an opcode, a byte ModRM that names a register and a second register or an address, and
 * for some addresses a byte SIB and a displacement. The prefix has the fourth (and fifth) bits of the numbers of registers: REX for
 * general registers, VEX for tiles, EVEX for vectors.
 */
final class Assembler {
    // Prefixes that are part of the opcode, as VEX and EVEX number them.
    private static final int NONE = 0;
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int PF2 = 3;

    // The opcode maps 0F and 0F38.
    private static final int MAP_0F = 1;
    private static final int MAP_0F38 = 2;

    private static final int MAP_0F3A = 3;

    /** Added to a prefix of EVEX: the bit W, which chooses among instructions for elements of two sizes. */
    private static final int W1 = 0x80;

    /** The bytes of a vector, by which EVEX divides displacements of one byte. */
    private static final int VECTOR = 64;
    /** The same for one float. */
    private static final int FLOAT = 4;
    /** The same for half a vector. */
    private static final int HALF_VECTOR = 32;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();

    /** The code so far. */
    byte[] bytes() {
        return code.toByteArray();
    }

    /** The position of the next instruction, as a target of {@link #jumpIfNotZero}. */
    int here() {
        return code.size();
    }

    // ---- general registers ----

    void move(Register to, Register from) {
        rex(from.high(), 0, to.high());
        emit(0x89);
        registers(from.number(), to.number());
    }

    /** Sets a register; its upper half becomes 0. */
    void move(Register to, int unsigned) {
        if (to.high() == 1) {
            emit(0x41);
        }
        emit(0xB8 | to.low());
        emitInt(unsigned);
    }

    void move(Register to, Address from) {
        rex(to.high(), from.indexHigh(), from.base().high());
        emit(0x8B);
        address(to.number(), from, 1);
    }

    /** Stores the lower half of a register. */
    void storeInt(Address to, Register from) {
        if (from.high() + to.indexHigh() + to.base().high() > 0) {
            emit(0x40 | from.high() << 2 | to.indexHigh() << 1 | to.base().high());
        }
        emit(0x89);
        address(from.number(), to, 1);
    }

    /** Requests a cache line for later. The address may be any. */
    void prefetcht0(Address at) {
        if (at.indexHigh() + at.base().high() > 0) {
            emit(0x40 | at.indexHigh() << 1 | at.base().high());
        }
        emit(0x0F);
        emit(0x18);
        address(1, at, 1);
    }

    void add(Register to, Register from) {
        rex(from.high(), 0, to.high());
        emit(0x01);
        registers(from.number(), to.number());
    }

    void add(Register to, int number) {
        rex(0, 0, to.high());
        if (number == (byte) number) {
            emit(0x83);
            registers(0, to.number());
            emit(number);
        } else {
            if (to == Register.RAX) {
                emit(0x05); // a shorter form without ModRM
            } else {
                emit(0x81);
                registers(0, to.number());
            }
            emitInt(number);
        }
    }

    void or(Register to, Register from) {
        rex(from.high(), 0, to.high());
        emit(0x09);
        registers(from.number(), to.number());
    }

    void shiftLeft(Register to, int bits) {
        rex(0, 0, to.high());
        emit(0xC1);
        registers(4, to.number());
        emit(bits);
    }

    /** Subtracts 1; {@link #jumpIfNotZero} depends on the result. */
    void decrement(Register to) {
        rex(0, 0, to.high());
        emit(0xFF);
        registers(1, to.number());
    }

    void push(Register from) {
        if (from.high() == 1) {
            emit(0x41);
        }
        emit(0x50 | from.low());
    }

    void pop(Register to) {
        if (to.high() == 1) {
            emit(0x41);
        }
        emit(0x58 | to.low());
    }

    // ---- control ----

    /** Jumps to an earlier instruction unless the last result was 0. */
    void jumpIfNotZero(int target) {
        int near = target - (here() + 2);
        if (near == (byte) near) {
            emit(0x75);
            emit(near);
        } else {
            emit(0x0F);
            emit(0x85);
            emitInt(target - (here() + 4));
        }
    }

    void ret() {
        emit(0xC3);
    }

    /** Describes the processor: EAX and ECX select what EAX, EBX, ECX and EDX then say. */
    void cpuid() {
        emit(0x0F);
        emit(0xA2);
    }

    /** Reads register ECX of those that say which states the system saves, into EDX and EAX. */
    void xgetbv() {
        emit(0x0F);
        emit(0x01);
        emit(0xD0);
    }

    // ---- vectors ----

    /** Zeros the upper parts of registers 0 to 15, after which code without vectors is as fast as before. */
    void vzeroupper() {
        emit(0xC5);
        emit(0xF8);
        emit(0x77);
    }

    /** {@code to = a ^ b}, bit by bit. */
    void vpxord(int to, int a, int b) {
        evex(to, a, b, P66, MAP_0F);
        emit(0xEF);
        registers(to, b);
    }

    /** Loads 16 floats. */
    void vmovups(int to, Address from) {
        evex(to, 0, from, NONE, MAP_0F);
        emit(0x10);
        address(to, from, VECTOR);
    }

    /** Stores 16 floats. */
    void vmovups(Address to, int from) {
        evex(from, 0, to, NONE, MAP_0F);
        emit(0x11);
        address(from, to, VECTOR);
    }

    /** Loads one float into all 16 lanes. */
    void vbroadcastss(int to, Address from) {
        evex(to, 0, from, P66, MAP_0F38);
        emit(0x18);
        address(to, from, FLOAT);
    }

    /** Copies the lower half of a general register into all 16 lanes. */
    void vpbroadcastd(int to, Register from) {
        evex(to, 0, 0, from.high(), P66, MAP_0F38);
        emit(0x7C);
        registers(to, from.number());
    }

    /** {@code sum += a·b} with one rounding. */
    void vfmadd231ps(int sum, int a, int b) {
        evex(sum, a, b, P66, MAP_0F38);
        emit(0xB8);
        registers(sum, b);
    }

    /** The same with a vector in memory. */
    void vfmadd231ps(int sum, int a, Address b) {
        evex(sum, a, b, P66, MAP_0F38);
        emit(0xB8);
        address(sum, b, VECTOR);
    }

    /** In each 32-bit lane, adds the products of two pairs of BF16 to a float. */
    void vdpbf16ps(int sum, int a, int b) {
        evex(sum, a, b, PF3, MAP_0F38);
        emit(0x52);
        registers(sum, b);
    }

    /** Rounds 32 floats to BF16: 16 of {@code lower} to the lower half, 16 of {@code upper} to the upper half. */
    void vcvtne2ps2bf16(int to, int upper, Address lower) {
        evex(to, upper, lower, PF2, MAP_0F38);
        emit(0x72);
        address(to, lower, VECTOR);
    }

    /** The same from registers only. */
    void vcvtne2ps2bf16(int to, int upper, int lower) {
        evex(to, upper, lower, PF2, MAP_0F38);
        emit(0x72);
        registers(to, lower);
    }

    /** Moves 16-bit elements: each of {@code to} is the one of {@code from} whose number is in {@code places}. */
    void vpermw(int to, int places, int from) {
        evex(to, places, from, P66 | W1, MAP_0F38);
        emit(0x8D);
        registers(to, from);
    }

    /** Extends 16 elements from 16 to 32 bits with zeros. */
    void vpmovzxwd(int to, Address from) {
        evex(to, 0, from, P66, MAP_0F38);
        emit(0x33);
        address(to, from, HALF_VECTOR);
    }

    /** The same from the lower half of a vector. */
    void vpmovzxwd(int to, int from) {
        evex(to, 0, from, P66, MAP_0F38);
        emit(0x33);
        registers(to, from);
    }

    /** Stores half of a vector, 0 or 1, in the lower half of another, and zeros in its upper half. */
    void vextracti64x4(int to, int from, int half) {
        evex(from, 0, to, P66 | W1, MAP_0F3A);
        emit(0x3B);
        registers(from, to);
        emit(half);
    }

    /** Shifts each 32-bit lane. */
    void vpslld(int to, int from, int bits) {
        evex(6, to, from, P66, MAP_0F);
        emit(0x72);
        registers(6, from);
        emit(bits);
    }

    /** {@code to = a | b}, bit by bit. */
    void vpord(int to, int a, int b) {
        evex(to, a, b, P66, MAP_0F);
        emit(0xEB);
        registers(to, b);
    }

    /** {@code to = a & b}, bit by bit. */
    void vpandd(int to, int a, int b) {
        evex(to, a, b, P66, MAP_0F);
        emit(0xDB);
        registers(to, b);
    }

    void vaddps(int to, int a, int b) {
        evex(to, a, b, NONE, MAP_0F);
        emit(0x58);
        registers(to, b);
    }

    void vsubps(int to, int a, int b) {
        evex(to, a, b, NONE, MAP_0F);
        emit(0x5C);
        registers(to, b);
    }

    /** In each 128 bits: the lower two 32-bit lanes of a and b, in turns. */
    void vpunpckldq(int to, int a, int b) {
        evex(to, a, b, P66, MAP_0F);
        emit(0x62);
        registers(to, b);
    }

    /** In each 128 bits: the upper two 32-bit lanes of a and b, in turns. */
    void vpunpckhdq(int to, int a, int b) {
        evex(to, a, b, P66, MAP_0F);
        emit(0x6A);
        registers(to, b);
    }

    /** In each 128 bits: the lower 64-bit lanes of a and b. */
    void vpunpcklqdq(int to, int a, int b) {
        evex(to, a, b, P66 | W1, MAP_0F);
        emit(0x6C);
        registers(to, b);
    }

    /** In each 128 bits: the upper 64-bit lanes of a and b. */
    void vpunpckhqdq(int to, int a, int b) {
        evex(to, a, b, P66 | W1, MAP_0F);
        emit(0x6D);
        registers(to, b);
    }

    /** Two of the four 128-bit lanes of a, then two of b; each two bits of {@code lanes} are a number, the lowest first. */
    void vshufi32x4(int to, int a, int b, int lanes) {
        evex(to, a, b, P66, MAP_0F3A);
        emit(0x43);
        registers(to, b);
        emit(lanes);
    }

    // ---- tiles ----

    /** Sets the rows and columns of all tiles from 64 bytes. */
    void ldtilecfg(Address from) {
        vex(0, from.indexHigh(), from.base().high(), 0, NONE);
        emit(0x49);
        address(0, from, 1);
    }

    /** Returns all tiles to their initial state. */
    void tilerelease() {
        vex(0, 0, 0, 0, NONE);
        emit(0x49);
        registers(0, 0);
    }

    void tilezero(int tile) {
        vex(0, 0, 0, 0, PF2);
        emit(0x49);
        registers(tile, 0);
    }

    /** Loads a tile from {@link Address#rows}. */
    void tileloadd(int tile, Address from) {
        vex(0, from.indexHigh(), from.base().high(), 0, PF2);
        emit(0x4B);
        address(tile, from, 1);
    }

    /** Stores a tile to {@link Address#rows}. */
    void tilestored(Address to, int tile) {
        vex(0, to.indexHigh(), to.base().high(), 0, PF3);
        emit(0x4B);
        address(tile, to, 1);
    }

    /** {@code sum += a·b}: 16 × 16 floats, from 16 rows of 16 pairs of BF16, and 16 rows of pairs of k by 16 columns. */
    void tdpbf16ps(int sum, int a, int b) {
        vex(0, 0, 0, b, PF3);
        emit(0x5C);
        registers(sum, a);
    }

    // ---- parts of instructions ----

    /** A REX prefix for 64 bits, with the fourth bits of the registers. */
    private void rex(int register, int index, int base) {
        emit(0x48 | register << 2 | index << 1 | base);
    }

    /** A VEX prefix of the map 0F38 for 128 bits. Bits of registers are inverted, as is the number of a third operand. */
    private void vex(int register, int index, int base, int third, int prefix) {
        emit(0xC4);
        emit((~register & 1) << 7 | (~index & 1) << 6 | (~base & 1) << 5 | MAP_0F38);
        emit((~third & 0xF) << 3 | prefix);
    }

    /** An EVEX prefix for three vectors. The last is in ModRM, and its fifth bit where an index would have its fourth. */
    private void evex(int register, int second, int last, int prefix, int map) {
        evex(register, second, last >> 4, last >> 3, prefix, map);
    }

    private void evex(int register, int second, Address address, int prefix, int map) {
        evex(register, second, address.indexHigh(), address.base().high(), prefix, map);
    }

    /** An EVEX prefix for 512 bits, without a mask. Bits of registers are inverted. */
    private void evex(int register, int second, int index, int base, int prefix, int map) {
        emit(0x62);
        emit((~register >> 3 & 1) << 7 | (~index & 1) << 6 | (~base & 1) << 5 | (~register >> 4 & 1) << 4 | map);
        emit((~second & 0xF) << 3 | 1 << 2 | prefix);
        emit(0b10 << 5 | (~second >> 4 & 1) << 3);
    }

    /** ModRM for two registers; the higher bits of their numbers are in the prefix. */
    private void registers(int register, int other) {
        emit(0b11 << 6 | (register & 7) << 3 | other & 7);
    }

    /**
     * ModRM, SIB and displacement of an address.
     *
     * @param unit what displacements of one byte are multiples of
     */
    private void address(int register, Address address, int unit) {
        Register base = address.base();
        int displacement = address.displacement();
        boolean small = displacement % unit == 0 && displacement / unit == (byte) (displacement / unit);
        // A base whose number ends in 101 always has a displacement: without one, the number means something else.
        int mode = displacement == 0 && base.low() != 0b101 ? 0b00 : small ? 0b01 : 0b10;
        boolean sib = address.index() != null || base.low() == 0b100; // 100 means that SIB follows
        emit(mode << 6 | (register & 7) << 3 | (sib ? 0b100 : base.low()));
        if (sib) {
            emit((address.index() == null ? 0b100 : address.index().low()) << 3 | base.low());
        }
        if (mode == 0b01) {
            emit(displacement / unit);
        } else if (mode == 0b10) {
            emitInt(displacement);
        }
    }

    private void emit(int oneByte) {
        code.write(oneByte);
    }

    private void emitInt(int number) {
        for (int bits = 0; bits < 32; bits += 8) {
            emit(number >> bits);
        }
    }
}

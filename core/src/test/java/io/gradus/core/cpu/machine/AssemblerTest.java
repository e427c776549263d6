package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every encoder against GNU as, whose bytes {@code generate.py} among the resources has written down. */
final class AssemblerTest {
    private static final Pattern PLACE = Pattern.compile(".*\\[(\\w+)(?: \\+ ([a-z]\\w*))?(?: ([+-]) (\\d+))?]");
    private static final List<String> LOWER = List.of("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi");

    @Test
    void everyInstructionHasTheBytesOfGnuAs() throws IOException {
        Set<String> mnemonics = new TreeSet<>();
        for (String line : lines()) {
            String[] sides = line.split(": ");
            Assembler assembler = new Assembler();
            String[] words = sides[0].split(" ", 2);
            assemble(assembler, words[0], words.length == 1 ? new String[0] : words[1].split(", "));
            assertThat(HexFormat.ofDelimiter(" ").formatHex(assembler.bytes()))
                    .as(sides[0])
                    .isEqualTo(sides[1]);
            mnemonics.add(words[0]);
        }
        assertThat(mnemonics).hasSize(38);
    }

    @Test
    void jumpsAreShortWhereTheTargetIsNear() {
        Assembler near = new Assembler();
        near.ret();
        near.jumpIfNotZero(0);
        assertThat(near.bytes()).containsExactly(0xC3, 0x75, 0xFD);

        Assembler far = new Assembler();
        for (int i = 0; i < 127; i++) {
            far.ret();
        }
        far.jumpIfNotZero(0);
        byte[] code = far.bytes();
        assertThat(code).hasSize(133).endsWith(0x0F, 0x85, 0x7B, 0xFF, 0xFF, 0xFF);
    }

    @Test
    void stackPointerIsNoIndex() {
        assertThatThrownBy(() -> Address.rows(Register.RAX, Register.RSP, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("RSP");
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = AssemblerTest.class.getResourceAsStream("instructions.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    private static void assemble(Assembler to, String mnemonic, String[] operands) {
        switch (mnemonic) {
            case "mov" -> move(to, operands);
            case "add" -> {
                if (operands[1].matches("-?\\d+")) {
                    to.add(register(operands[0]), Integer.parseInt(operands[1]));
                } else {
                    to.add(register(operands[0]), register(operands[1]));
                }
            }
            case "or" -> to.or(register(operands[0]), register(operands[1]));
            case "shl" -> to.shiftLeft(register(operands[0]), Integer.parseInt(operands[1]));
            case "dec" -> to.decrement(register(operands[0]));
            case "push" -> to.push(register(operands[0]));
            case "pop" -> to.pop(register(operands[0]));
            case "ret" -> to.ret();
            case "cpuid" -> to.cpuid();
            case "xgetbv" -> to.xgetbv();
            case "vzeroupper" -> to.vzeroupper();
            case "vmovups" -> {
                if (operands[0].startsWith("zmm") && !operands[0].contains("[")) {
                    to.vmovups(number(operands[0]), place(operands[1]));
                } else {
                    to.vmovups(place(operands[0]), number(operands[1]));
                }
            }
            case "vbroadcastss" -> to.vbroadcastss(number(operands[0]), place(operands[1]));
            case "vpxord" -> to.vpxord(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vdpbf16ps" -> to.vdpbf16ps(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vcvtne2ps2bf16" -> {
                if (operands[2].contains("[")) {
                    to.vcvtne2ps2bf16(number(operands[0]), number(operands[1]), place(operands[2]));
                } else {
                    to.vcvtne2ps2bf16(number(operands[0]), number(operands[1]), number(operands[2]));
                }
            }
            case "vpmovzxwd" -> {
                if (operands[1].contains("[")) {
                    to.vpmovzxwd(number(operands[0]), place(operands[1]));
                } else {
                    to.vpmovzxwd(number(operands[0]), number(operands[1]));
                }
            }
            case "vextracti64x4" ->
                to.vextracti64x4(number(operands[0]), number(operands[1]), Integer.parseInt(operands[2]));
            case "vpslld" -> to.vpslld(number(operands[0]), number(operands[1]), Integer.parseInt(operands[2]));
            case "vshufi32x4" ->
                to.vshufi32x4(
                        number(operands[0]), number(operands[1]), number(operands[2]), Integer.parseInt(operands[3]));
            case "prefetcht0" -> to.prefetcht0(place(operands[0]));
            case "vpbroadcastd" -> to.vpbroadcastd(number(operands[0]), register(operands[1]));
            case "vfmadd231ps" -> {
                if (operands[2].contains("[")) {
                    to.vfmadd231ps(number(operands[0]), number(operands[1]), place(operands[2]));
                } else {
                    to.vfmadd231ps(number(operands[0]), number(operands[1]), number(operands[2]));
                }
            }
            case "vpandd" -> to.vpandd(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vaddps" -> to.vaddps(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpermw" -> to.vpermw(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpord" -> to.vpord(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vsubps" -> to.vsubps(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpunpckldq" -> to.vpunpckldq(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpunpckhdq" -> to.vpunpckhdq(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpunpcklqdq" -> to.vpunpcklqdq(number(operands[0]), number(operands[1]), number(operands[2]));
            case "vpunpckhqdq" -> to.vpunpckhqdq(number(operands[0]), number(operands[1]), number(operands[2]));
            case "ldtilecfg" -> to.ldtilecfg(place(operands[0]));
            case "tilerelease" -> to.tilerelease();
            case "tilezero" -> to.tilezero(number(operands[0]));
            case "tileloadd" -> to.tileloadd(number(operands[0]), place(operands[1]));
            case "tilestored" -> to.tilestored(place(operands[0]), number(operands[1]));
            case "tdpbf16ps" -> to.tdpbf16ps(number(operands[0]), number(operands[1]), number(operands[2]));
            default -> throw new AssertionError("no encoder for " + mnemonic);
        }
    }

    private static void move(Assembler to, String[] operands) {
        if (operands[0].startsWith("dword")) {
            to.storeInt(place(operands[0]), register(operands[1]));
        } else if (operands[1].contains("[")) {
            to.move(register(operands[0]), place(operands[1]));
        } else if (operands[1].matches("\\d+")) {
            to.move(register(operands[0]), Integer.parseInt(operands[1]));
        } else {
            to.move(register(operands[0]), register(operands[1]));
        }
    }

    /** A general register, by its name for 64 bits or for the lower 32. */
    private static Register register(String name) {
        int old = LOWER.indexOf(name);
        return old >= 0
                ? Register.values()[old]
                : Register.valueOf(name.replaceFirst("d$", "").toUpperCase(Locale.ROOT));
    }

    /** The number of a vector or tile. */
    private static int number(String register) {
        return Integer.parseInt(register.substring(3));
    }

    private static Address place(String text) {
        Matcher parts = PLACE.matcher(text);
        assertThat(parts.matches()).as(text).isTrue();
        int displacement = parts.group(4) == null ? 0 : Integer.parseInt(parts.group(3) + parts.group(4));
        Register index = parts.group(2) == null ? null : register(parts.group(2));
        return new Address(register(parts.group(1)), index, displacement);
    }
}

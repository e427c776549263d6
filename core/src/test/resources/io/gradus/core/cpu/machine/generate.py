"""Writes instructions.txt: instructions in Intel's syntax, and the bytes that GNU as makes of them. Writes tiles.txt: the bytes of
the kernel for AMX, which most machines that run the tests cannot run.

    python generate.py        (needs GNU binutils: as and objcopy)

Each line is assembled with a marker before and after it, so that its bytes can be cut out.
"""

import subprocess
import tempfile
from pathlib import Path

GENERAL = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
LOWER = "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d".split()
DISPLACEMENTS = [0, 4, 64, 127, 128, 192, 256, 508, 512, 1024, 8128, 8192, -4, -64, -128, -8192]
VECTORS = [(0, 1, 2), (7, 8, 9), (15, 16, 17), (23, 24, 25), (31, 30, 29), (8, 0, 31), (16, 31, 0), (3, 19, 11)]


# a: rdi, rows of r8 bytes; b: rsi and c: rdx, rows of 256 bytes; rcx: 16 steps, times; r9: the sizes of tiles
TILES = """
    ldtilecfg [r9]
    mov eax, 256
    mov r10, r8
    shl r10, 4
    add r10, rdi
    tilezero tmm0
    tilezero tmm1
    tilezero tmm2
    tilezero tmm3
1:  tileloadd tmm4, [rdi + r8]
    tileloadd tmm6, [rsi + rax]
    tileloadd tmm7, [rsi + rax + 64]
    tdpbf16ps tmm0, tmm4, tmm6
    tileloadd tmm5, [r10 + r8]
    tdpbf16ps tmm1, tmm4, tmm7
    tdpbf16ps tmm2, tmm5, tmm6
    tdpbf16ps tmm3, tmm5, tmm7
    add rdi, 64
    add r10, 64
    add rsi, 4096
    dec rcx
    jnz 1b
    tilestored [rdx + rax], tmm0
    tilestored [rdx + rax + 64], tmm1
    add rdx, 4096
    tilestored [rdx + rax], tmm2
    tilestored [rdx + rax + 64], tmm3
    tilerelease
    ret
"""


def places():
    """Addresses with each base, each displacement, and some indices."""
    for base in GENERAL:
        yield f"[{base}]"
    for displacement in DISPLACEMENTS:
        for base in ("rdi", "r9", "rbp", "r12"):
            yield f"[{base} {'-' if displacement < 0 else '+'} {abs(displacement)}]"


def rows():
    for base in GENERAL:
        for index in ("rax", "r10"):
            yield f"[{base} + {index}]"
    for displacement in (64, 128, 1024, -64):
        for base, index in (("rdi", "r11"), ("rsi", "rax"), ("r13", "r8"), ("rbp", "rbx")):
            yield f"[{base} + {index} {'-' if displacement < 0 else '+'} {abs(displacement)}]"


def instructions():
    for i, to in enumerate(GENERAL):
        source = GENERAL[(5 * i + 3) % 16]
        yield f"mov {to}, {source}"
        yield f"mov {LOWER[i]}, {0x01020304 + i}"
        yield f"add {to}, {source}"
        yield f"or {to}, {source}"
        for number in (1, 127, -128, 128, 256, 70000, -70000):
            yield f"add {to}, {number}"
        yield f"shl {to}, {i + 2}"
        yield f"dec {to}"
        yield f"push {to}"
        yield f"pop {to}"
    for i, place in enumerate(places()):
        yield f"mov dword ptr {place}, {LOWER[i % 16]}"
        yield f"vmovups zmm{i % 32}, zmmword ptr {place}"
        yield f"vmovups zmmword ptr {place}, zmm{(7 * i + 1) % 32}"
        yield f"vbroadcastss zmm{(5 * i + 2) % 32}, dword ptr {place}"
        yield f"ldtilecfg {place}"
    for a, b, c in VECTORS:
        yield f"vpxord zmm{a}, zmm{b}, zmm{c}"
        yield f"vdpbf16ps zmm{a}, zmm{b}, zmm{c}"
    for tile in range(8):
        yield f"tilezero tmm{tile}"
        yield f"tdpbf16ps tmm{tile}, tmm{(tile + 1) % 8}, tmm{(tile + 3) % 8}"
    for i, place in enumerate(rows()):
        yield f"tileloadd tmm{i % 8}, {place}"
        yield f"tilestored {place}, tmm{(3 * i + 1) % 8}"
    yield from ("ret", "cpuid", "xgetbv", "vzeroupper", "tilerelease")


def assemble(source):
    with tempfile.TemporaryDirectory() as folder:
        objects, binary = Path(folder, "code.o"), Path(folder, "code.bin")
        text = ".intel_syntax noprefix\n.text\n" + source
        subprocess.run(["as", "-o", objects, "-"], input=text.encode(), check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", objects, binary], check=True)
        return binary.read_bytes()


def main():
    lines = list(dict.fromkeys(instructions()))
    marker = b"\xde\xad\xbe\xef\x0b\xad\xf0\x0d"
    mark = ".byte " + ", ".join(str(byte) for byte in marker)
    parts = assemble("".join(f"{mark}\n{line}\n" for line in lines) + mark + "\n").split(marker)[1:-1]
    assert len(parts) == len(lines), (len(parts), len(lines))
    text = "".join(f"{line}: {part.hex(' ')}\n" for line, part in zip(lines, parts))
    folder = Path(__file__).parent
    (folder / "instructions.txt").write_text(text)
    (folder / "tiles.txt").write_text(assemble(TILES).hex(" ") + "\n")


if __name__ == "__main__":
    main()

"""Writes instructions.txt: instructions in Intel's syntax, and the bytes that GNU as makes of them. Writes tiles.txt: the bytes of
the kernel for AMX, which most machines that run the tests cannot run.

    python generate.py        (needs GNU binutils: as and objcopy)

Each line is assembled with a marker before and after it, so that its bytes can be cut out.
"""

import subprocess
import tempfile
from itertools import islice
from pathlib import Path

GENERAL = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
LOWER = "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d".split()
DISPLACEMENTS = [0, 4, 64, 127, 128, 192, 256, 508, 512, 1024, 8128, 8192, -4, -64, -128, -8192]
VECTORS = [(0, 1, 2), (7, 8, 9), (15, 16, 17), (23, 24, 25), (31, 30, 29), (8, 0, 31), (16, 31, 0), (3, 19, 11)]


def tiles(split, add):
    """a: rdi, rows of 64 bytes; b: rsi, rows of 128 bytes; rcx: blocks; c: rdx, rows of r8 bytes; r9: the sizes of
    tiles; on the stack: panels of b. After each product, some lines of the next blocks are prefetched."""
    places = ["[rdx + r8]", "[rdx + r8 + 64]", "[r11 + r8]", "[r11 + r8 + 64]"]
    size = 4096 if split else 2048
    lines = iter(range(size, 2 * size, 64))
    count = 6 if split else 8

    def add_product(c, a, b):
        prefetches = "".join(
            f"prefetcht0 byte ptr [rsi + {line}]; prefetcht0 byte ptr [r12 + {line}];" for line in islice(lines, count)
        )
        return f"tdpbf16ps tmm{c}, tmm{a}, tmm{b}; {prefetches}"

    def rows(offset, load_second):
        return f"""
    tileloadd tmm4, [r12 + r10 + {offset}]
    {"tileloadd tmm7, [rsi + rax + 64]" if load_second else ""}
    {add_product(0, 4, 6)}
    tileloadd tmm5, [r12 + r10 + {offset + 1024}]
    {add_product(1, 4, 7)}
    {add_product(2, 5, 6)}
    {add_product(3, 5, 7)}
"""

    def rest():
        return f"""
    tileloadd tmm6, [rsi + rax + 2048]
    tileloadd tmm7, [rsi + rax + 2112]
    {add_product(0, 4, 6)}
    {add_product(2, 5, 6)}
    {add_product(1, 4, 7)}
    {add_product(3, 5, 7)}
"""

    return f"""
    ldtilecfg [r9]
    mov eax, 128
    mov r10d, 64
    push rbx
    push r12
    mov r9, [rsp + 24]
2:  mov r12, rdi
    mov rbx, rcx
    mov r11, r8
    shl r11, 4
    add r11, rdx
    {"".join(f"tileloadd tmm{i}, {place};" if add else f"tilezero tmm{i};" for i, place in enumerate(places))}
1:  tileloadd tmm6, [rsi + rax]
    {rows(2048, True) + rows(0, False) + rest() if split else rows(0, True)}
    add r12, {size}
    add rsi, {size}
    dec rbx
    jnz 1b
    {"".join(f"tilestored {place}, tmm{i};" for i, place in enumerate(places))}
    add rdx, 128
    dec r9
    jnz 2b
    pop r12
    pop rbx
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
        yield f"vpbroadcastd zmm{(7 * i + 4) % 32}, {LOWER[i]}"
        yield f"push {to}"
        yield f"pop {to}"
    for i, place in enumerate(places()):
        yield f"mov dword ptr {place}, {LOWER[i % 16]}"
        yield f"mov {GENERAL[(3 * i + 1) % 16]}, qword ptr {place}"
        yield f"vmovups zmm{i % 32}, zmmword ptr {place}"
        yield f"vmovups zmmword ptr {place}, zmm{(7 * i + 1) % 32}"
        yield f"vbroadcastss zmm{(5 * i + 2) % 32}, dword ptr {place}"
        yield f"vcvtne2ps2bf16 zmm{(3 * i + 4) % 32}, zmm{(11 * i + 9) % 32}, zmmword ptr {place}"
        yield f"vpmovzxwd zmm{(13 * i + 6) % 32}, ymmword ptr {place}"
        yield f"ldtilecfg {place}"
        yield f"prefetcht0 byte ptr {place}"
        yield f"vfmadd231ps zmm{(9 * i + 5) % 32}, zmm{(3 * i + 2) % 32}, zmmword ptr {place}"
    for a, b, c in VECTORS:
        yield f"vpxord zmm{a}, zmm{b}, zmm{c}"
        yield f"vdpbf16ps zmm{a}, zmm{b}, zmm{c}"
        for name in ("vcvtne2ps2bf16", "vpermw", "vpord", "vsubps", "vpandd", "vaddps", "vfmadd231ps"):
            yield f"{name} zmm{a}, zmm{b}, zmm{c}"
        for name in ("vpunpckldq", "vpunpckhdq", "vpunpcklqdq", "vpunpckhqdq"):
            yield f"{name} zmm{a}, zmm{b}, zmm{c}"
        yield f"vshufi32x4 zmm{a}, zmm{b}, zmm{c}, 136"
        yield f"vpslld zmm{a}, zmm{b}, 16"
        yield f"vpmovzxwd zmm{a}, ymm{b}"
        yield f"vextracti64x4 ymm{a}, zmm{b}, 1"
    for tile in range(8):
        yield f"tilezero tmm{tile}"
        yield f"tdpbf16ps tmm{tile}, tmm{(tile + 1) % 8}, tmm{(tile + 3) % 8}"
    for i, place in enumerate(rows()):
        yield f"tileloadd tmm{i % 8}, {place}"
        yield f"tilestored {place}, tmm{(3 * i + 1) % 8}"
        yield f"prefetcht0 byte ptr {place}"
        yield f"vfmadd231ps zmm{(7 * i + 3) % 32}, zmm{(5 * i + 1) % 32}, zmmword ptr {place}"
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
    kernels = [assemble(tiles(split=False, add=False)), assemble(tiles(split=True, add=True))]
    (folder / "tiles.txt").write_text("".join(kernel.hex(" ") + "\n" for kernel in kernels))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares the speed of greedy generation by Gradus and by llama.cpp, in turns, on the same weights at the same precision.

    python bench/generation.py FOLDER --model SMOLLM2 [--precision f32] [--threads 2] [--tokens 128] [--rounds 8] [--text PROMPT]
                               [--gradus COMMAND] [--bench COMMAND] [--hold]

SMOLLM2 is a Hugging Face folder of a language model; FOLDER gets its GGUF file, which `gradus export gguf` writes as F32 or BF16. Each
program is a process of its own, which waits for a line before it generates, so that they alternate while both stay warm. The prompt,
the loading of the model, and in llama.cpp the choice of a token by numpy (some microseconds) are not timed or not significant.
Prints tokens per second, medians, the ratio (above 1 if Gradus is faster), and how many tokens are the same. The machine must be
idle. With --hold, the script warms up, prints a line, and waits for one.

Needs llama-cpp-python and numpy. COMMANDs replace `./gradus` and `./gradus bench`.
"""
import argparse
import ctypes
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

GRADUS = pathlib.Path(__file__).resolve().parent.parent / "gradus"


def llama_engine(job):
    """Reads lines with a number of tokens and the ids of a prompt, like `gradus bench generation`, through the C interface."""
    import llama_cpp
    import numpy

    exact = job["precision"] == "f32"
    kind = llama_cpp.GGML_TYPE_F32 if exact else llama_cpp.GGML_TYPE_F16  # of keys and values; F16 is its default
    model = llama_cpp.Llama(job["gguf"], n_ctx=1024, n_threads=job["threads"], n_threads_batch=job["threads"], type_k=kind,
                            type_v=kind, verbose=False)
    print(" ".join(map(str, model.tokenize(job["text"].encode(), add_bos=False))), flush=True)
    context, vocabulary = model.ctx, model.n_vocab()

    def next_of(ids):
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one((llama_cpp.llama_token * len(ids))(*ids), len(ids))):
            sys.exit("llama_decode failed")
        logits = llama_cpp.llama_get_logits_ith(context, -1)
        return int(numpy.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (vocabulary,)).argmax())

    for line in sys.stdin:
        count, *prompt = map(int, line.split())
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        ids = [next_of(prompt)]
        start = time.perf_counter()
        while len(ids) < count:
            ids.append(next_of(ids[-1:]))
        print(f"seconds {(time.perf_counter() - start) / (count - 1):.6f} ids {ids}", flush=True)


class Engine:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return answer or sys.exit(f"{self.process.args} ended with exit code {self.process.wait()}")

    def generate(self, count, prompt):
        """Tokens per second, and the ids."""
        seconds, ids = self.send(f"{count} {prompt}").removeprefix("seconds ").split(" ids ")
        return 1 / float(seconds), json.loads(ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--text", default="Once upon a time")
    parser.add_argument("--gradus", default=str(GRADUS))
    parser.add_argument("--bench", default=f"{GRADUS} bench")
    parser.add_argument("--hold", action="store_true")
    for name, usual in (("threads", 2), ("tokens", 128), ("rounds", 8)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--job", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        llama_engine(json.loads(sys.stdin.readline()))
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    gguf = args.folder / f"{args.model.name}-{args.precision}.gguf"
    if not gguf.exists():
        subprocess.run([*shlex.split(args.gradus), "export", "gguf", "--model", args.model, "--out", gguf, "--dtype", args.precision],
                       check=True, stdout=subprocess.DEVNULL)
    theirs = Engine([sys.executable, __file__, "--job"])
    prompt = theirs.send(json.dumps(dict(gguf=str(gguf), precision=args.precision, threads=args.threads, text=args.text))).strip()
    ours = Engine([*shlex.split(args.bench), "generation", "--model", str(args.model), "--precision", args.precision.upper(),
                   "--threads", str(args.threads)])
    for _ in range(4):
        ours.generate(args.tokens, prompt)
    theirs.generate(args.tokens, prompt)
    if args.hold:
        print("warm; waiting for a line", flush=True)
        sys.stdin.readline()
    rounds = []
    for number in range(args.rounds):
        pair = {}
        for engine in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            pair[engine] = engine.generate(args.tokens, prompt)
            time.sleep(0.02)  # until the threads of this engine sleep
        rounds.append((pair[ours], pair[theirs]))
    own, other = (statistics.median(pair[i][0] for pair in rounds) for i in range(2))
    ratio = statistics.median(a[0] / b[0] for a, b in rounds)
    (_, ids), (_, other_ids) = rounds[-1]
    same = next((i for i, (a, b) in enumerate(zip(ids, other_ids)) if a != b), len(ids))
    print(f"{args.model.name}, {args.precision}, {args.threads} threads, {args.tokens} tokens: Gradus {own:.1f} tokens/s, llama.cpp"
          f" {other:.1f}, ratio {ratio:.2f}; the first {same} tokens are the same")


if __name__ == "__main__":
    main()

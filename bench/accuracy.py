#!/usr/bin/env python3
"""Trains a language model in several precisions, from the same weights on the same batches, and compares the losses.

    python bench/accuracy.py FOLDER --model MODEL --text FILE [--steps 1000] [--batch 4x128] [--rate 3e-4] [--threads 2]
                             [--runs f32,high,medium,bf16] [--gradus COMMAND]

MODEL is a Hugging Face folder, and FILE a text. FOLDER gets a folder for each run. The optimizer is AdamW with 5% warm-up and cosine
decay. The table has the mean loss of the last 100 steps and its difference from that of the first run. A run whose metrics are in
FOLDER already is not repeated.

Needs nothing but Python. COMMAND replaces `./gradus`.
"""
import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import sys

GRADUS = pathlib.Path(__file__).resolve().parent.parent / "gradus"
RUNS = {
    "f32": ["precision=f32"],
    "high": ["precision=f32", "matmul_precision=high"],
    "medium": ["precision=f32", "matmul_precision=medium"],
    "bf16": ["precision=bf16"],
    "f16": ["precision=f16"],
}
LAST = 100


def losses(folder):
    file = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in open(file)] if file.exists() else []
    return [line["loss"] for line in lines if "loss" in line]


def train(folder, name, args):
    """The losses of all steps of a run."""
    done = losses(folder)
    if len(done) == args.steps:
        return done
    batch, length = args.batch.split("x")
    command = [*shlex.split(args.gradus), "finetune", f"model.path={args.model}", f"data.train={args.text}", f"data.max_seq_len={length}",
               f"batch_size={batch}", f"steps={args.steps}", f"learning_rate={args.rate}", "schedule=cosine", "warmup_ratio=0.05",
               f"threads={args.threads}", "eval_steps=1000000", "max_eval_blocks=8", f"output={folder}", *RUNS[name]]
    ran = subprocess.run(command, capture_output=True, text=True)
    done = losses(folder)
    if ran.returncode or len(done) != args.steps:
        sys.exit(f"{name}: {len(done)} of {args.steps} steps\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--text", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", default="4x128")
    parser.add_argument("--rate", default="3e-4")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", default="f32,high,medium,bf16")
    parser.add_argument("--gradus", default=str(GRADUS))
    args = parser.parse_args()
    names = args.runs.split(",")
    unknown = [name for name in names if name not in RUNS]
    if unknown or args.steps < LAST:
        parser.error(f"there is no run {unknown[0]}; the runs are {', '.join(RUNS)}" if unknown else f"--steps must be at least {LAST}")
    args.folder.mkdir(parents=True, exist_ok=True)
    means = {}
    print(f"{args.model.name}, {args.text.name}, {args.steps} steps of {args.batch} tokens, learning rate {args.rate}\n")
    print(f"| run | first loss | mean of the last {LAST} | difference from {names[0]} |\n| --- | ---: | ---: | ---: |", flush=True)
    for name in names:
        values = train((args.folder / name).resolve(), name, args)
        means[name] = statistics.fmean(values[-LAST:])
        print(f"| {name} | {values[0]:.4f} | {means[name]:.4f} | {100 * (means[name] / means[names[0]] - 1):+.2f}% |", flush=True)


if __name__ == "__main__":
    main()

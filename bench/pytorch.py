#!/usr/bin/env python3
"""Times training steps of Gradus and of PyTorch, in turns, on the same batch, and compares peak memory.

    python bench/pytorch.py [--network gpt2] [--batch 4x64] [--threads 2] [--engines gradus-medium,torch-autocast] [--against NAME]
                            [--rounds 10] [--block 2] [--warmup 10] [--gradus COMMAND] [--hold]

Networks with random weights: gpt2 (124M) and smollm2 (the shape of SmolLM2-135M, a Llama). A step is the forward pass, the loss of
all tokens, the backward pass and AdamW; there is no dropout. The engines:

    gradus, gradus-high, gradus-medium     F32 with matmul_precision highest, high and medium
    gradus-bf16, gradus-bf16-medium        precision bf16 with matmul_precision highest and medium
    torch, torch-autocast, torch-bf16      F32, BF16 autocast, and a model converted to BF16; fused AdamW
    torch-compile, torch-autocast-compile, torch-bf16-compile      the same with torch.compile

Each engine is a process of its own, which waits for a line before each block of steps: the engines alternate while all stay warm. A
ratio is the time of another engine divided by that of Gradus in the same round, and above 1 if Gradus is faster; the table has the
medians. Peak memory is VmHWM. The machine must be idle, and have memory for all engines at once. With --hold, the script warms up,
prints a line, and waits for one: to stop other programs only while it measures.

Needs torch and transformers 5. COMMAND replaces `./gradus bench`.
"""
import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

GRADUS = pathlib.Path(__file__).resolve().parent.parent / "gradus"
ENGINES = {
    "gradus": ["F32", "HIGHEST"], "gradus-high": ["F32", "HIGH"], "gradus-medium": ["F32", "MEDIUM"],
    "gradus-bf16": ["BF16", "HIGHEST"], "gradus-bf16-medium": ["BF16", "MEDIUM"],
    **{f"torch{kind}{mode}": [kind, mode] for kind in ("", "-autocast", "-bf16") for mode in ("", "-compile")},
}


# ---- PyTorch, in a process of its own ----

def torch_model(network, length):
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    if network == "gpt2":
        config = GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    else:
        config = LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                             num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=2048, tie_word_embeddings=True)
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")


def torch_engine(job):
    """Reads numbers of steps; writes a line for each step and one for the peak, like `gradus bench steps --on-request`."""
    import torch

    torch.set_num_threads(job["threads"])
    torch.manual_seed(42)
    kind, mode = ENGINES[job["engine"]]
    model = torch_model(job["network"], job["length"])
    if kind == "-bf16":
        model = model.to(torch.bfloat16)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    ids, targets = (torch.tensor(job[name]).view(job["batch"], job["length"]) for name in ("ids", "targets"))

    def forward(ids, targets):
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == "-autocast"):
            logits = model(input_ids=ids, use_cache=False).logits
            return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    loss_of = torch.compile(forward) if mode else forward
    for line in sys.stdin:
        for step in range(int(line)):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(ids, targets)
            loss.backward()
            optimizer.step()
            value = loss.item()
            print(f"step {step + 1} loss {value:.5f} seconds {time.perf_counter() - start:.4f}")
        peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
        print("peak bytes", int(peak) * 1024, flush=True)


# ---- the comparison ----

class Engine:
    def __init__(self, name, args, data):
        self.name = name
        batch, length = map(int, args.batch.split("x"))
        if name.startswith("gradus"):
            precision, products = ENGINES[name]
            command = [*shlex.split(args.gradus), "steps", "--network", args.network.upper(), "--batch", str(batch), "--length",
                       str(length), "--threads", str(args.threads), "--precision", precision, "--matmul-precision", products,
                       "--on-request"]
        else:
            command = [sys.executable, __file__, "--job"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if name.startswith("gradus"):
            for key in ("ids", "targets"):
                data[key] = json.loads(self.line().removeprefix(key))
        else:
            job = dict(engine=name, network=args.network, batch=batch, length=length, threads=args.threads, **data)
            self.send(json.dumps(job))

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with exit code {self.process.wait()}")
        return line

    def run(self, steps):
        """The median time of the steps, the last loss, and the peak memory so far."""
        self.send(str(steps))
        seconds, words = [], self.line().split()
        while words[0] == "step":
            loss = float(words[3])
            seconds.append(float(words[-1]))
            words = self.line().split()
        return statistics.median(seconds), loss, int(words[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("gpt2", "smollm2"), default="gpt2")
    parser.add_argument("--batch", default="4x64")
    parser.add_argument("--engines", default="gradus-medium,torch-autocast")
    parser.add_argument("--against", help="the engine of Gradus to divide by; the first one if not given")
    parser.add_argument("--gradus", default=f"{GRADUS} bench")
    parser.add_argument("--hold", action="store_true")
    for name, usual in (("threads", 2), ("rounds", 10), ("block", 2), ("warmup", 10)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--job", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        torch_engine(json.loads(sys.stdin.readline()))
        return
    names = sorted(args.engines.split(","), key=lambda name: not name.startswith("gradus"))
    unknown = [name for name in names if name not in ENGINES]
    if unknown or not names[0].startswith("gradus"):
        parser.error(f"--engines: {unknown or 'one'} must be of {', '.join(ENGINES)}; one at least begins with gradus")
    data = {}
    engines = [Engine(name, args, data) for name in names]
    for engine in engines:
        engine.run(args.warmup)
    if args.hold:
        print("warm; waiting for a line", flush=True)
        sys.stdin.readline()
        for engine in engines:
            engine.run(1)
    results = {name: [] for name in names}
    for number in range(args.rounds):
        for engine in engines if number % 2 == 0 else reversed(engines):
            results[engine.name].append(engine.run(args.block))
            time.sleep(0.02)  # until the threads of this engine sleep
    ours = args.against or names[0]
    print(f"{args.network}, {args.batch} tokens, {args.threads} threads; ratios to {ours}, medians of {args.rounds} rounds\n")
    print("| engine | seconds | time ratio | peak MB | memory ratio | last loss |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, rounds in results.items():
        ratio = statistics.median(theirs[0] / own[0] for theirs, own in zip(rounds, results[ours]))
        peak, own_peak = rounds[-1][2], results[ours][-1][2]
        print(f"| {name} | {statistics.median(r[0] for r in rounds):.3f} | {ratio:.2f} | {peak / 1e6:.0f} | {peak / own_peak:.2f}"
              f" | {rounds[-1][1]:.4f} |")


if __name__ == "__main__":
    main()

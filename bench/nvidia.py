#!/usr/bin/env python3
"""Gradus beside PyTorch on one NVIDIA GPU, in one run:

    python3 bench/nvidia.py            # tests, matrix products, a GPT-2 step; a line for bench/history.jsonl
    python3 bench/nvidia.py --skip-tests --drivers opencl

Needs a TornadoVM SDK with the drivers that are to be tried (TORNADOVM_HOME, or SDKMAN's current one), and Python with
torch and transformers for the rival. PyTorch and Gradus take turns, so that the card is as warm for one as for the other.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH, LENGTH, STEPS = 8, 1024, 6
SIZES = [1024, 2048, 4096]


def tornado_home():
    sdkman = Path(os.environ.get("SDKMAN_DIR", Path.home() / ".sdkman")) / "candidates/tornadovm/current"
    home = Path(os.environ.get("TORNADOVM_HOME", sdkman))
    if not (home / "tornado-argfile").is_file():
        sys.exit(f"no TornadoVM SDK at {home}: sdk install tornadovm 5.2.0-jdk25-opencl, or set TORNADOVM_HOME")
    return home


def gradus(driver, *arguments, flags=""):
    """Runs ./gradus on the device of one driver; its output."""
    options = f"{os.environ.get('GRADUS_JAVA_OPTS', '')} -Dgradus.gpu.device={driver} {flags}"
    run = subprocess.run(
        [ROOT / "gradus", *arguments],
        env={**os.environ, "GRADUS_JAVA_OPTS": options},
        text=True,
        stdout=subprocess.PIPE,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"./gradus {' '.join(arguments)} failed on {driver}; its last words are above")
    return run.stdout


def test(driver, home):
    """The contract tests of core on the device of one driver."""
    print(f"== tests on {driver}", flush=True)
    subprocess.run(
        ["mvn", "-B", "-q", "-Pgpu", "-pl", "gpu", "-am", "verify", f"-Dgpu.options=-Dgradus.gpu.device={driver}"],
        cwd=ROOT,
        env={**os.environ, "TORNADOVM_HOME": str(home)},
        check=True,
    )


def products_of_gradus(driver):
    """TFLOP/s by rung and size, from the table that ./gradus bench gpu prints."""
    print(f"== matrix products on {driver}", flush=True)
    lines = gradus(driver, "bench", "gpu").splitlines()
    print("\n".join(lines))
    head = next(i for i, line in enumerate(lines) if line.split()[:1] == ["m"])
    rungs = lines[head].split()[5:]
    speeds = {}
    for line in lines[head + 1 :]:
        match = re.match(r"(\d+)\s+\d+ x\s+\d+ x\s+\d+(.*)", line)
        if match and int(match[1]) in SIZES:
            for rung, speed in zip(rungs, match[2].split()):
                if speed != "failed":
                    speeds.setdefault(rung, {})[match[1]] = float(speed) / 1000
    return speeds


def seconds_of(run, synchronize):
    run()
    run()
    times = []
    for _ in range(20):
        synchronize()
        start = time.perf_counter()
        run()
        synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def precision(torch, name):
    torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
    torch.backends.cudnn.allow_tf32 = name == "tf32"


def products_of_pytorch(torch):
    """TFLOP/s by precision and size."""
    print("== matrix products of PyTorch", flush=True)
    speeds = {}
    for name in ["fp32", "tf32", "bf16"]:
        precision(torch, name)
        dtype = torch.bfloat16 if name == "bf16" else torch.float32
        for n in SIZES:
            a = torch.randn(n, n, device="cuda", dtype=dtype)
            b = torch.randn(n, n, device="cuda", dtype=dtype)
            out = torch.empty(n, n, device="cuda", dtype=dtype)
            seconds = seconds_of(lambda: torch.matmul(a, b, out=out), torch.cuda.synchronize)
            speeds.setdefault(name, {})[str(n)] = 2 * n**3 / seconds / 1e12
        print(name, {n: round(speed, 1) for n, speed in speeds[name].items()})
    return speeds


def training_of_pytorch(torch, name):
    """Tokens per second of GPT-2 124M: forward, backward and AdamW, eager."""
    from transformers import GPT2Config, GPT2LMHeadModel

    precision(torch, name)
    torch.manual_seed(42)
    model = GPT2LMHeadModel(GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)).cuda().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    ids = torch.randint(0, 50_257, (BATCH, LENGTH), device="cuda")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=name == "bf16"):
            loss = model(ids, labels=ids).loss
        loss.backward()
        optimizer.step()

    seconds = seconds_of(step, torch.cuda.synchronize)
    del model, optimizer
    torch.cuda.empty_cache()
    return BATCH * LENGTH / seconds


def training_of_gradus(driver):
    """Tokens per second of the same step; then, measured apart because measuring slows, the time within kernels."""
    steps = steps_of(train_gradus(driver, STEPS))
    profiled = steps_of(train_gradus(driver, 3, flags="-Dgradus.gpu.profile=true"))
    seconds = statistics.median(float(step[0]) for step in steps)
    return {
        "tokens_per_second": BATCH * LENGTH / seconds,
        "launches": int(steps[-1][1]),
        "seconds_in_launches": float(steps[-1][2]),
        "seconds_in_kernels": float(profiled[-1][3]),
    }


def train_gradus(driver, steps, flags=""):
    """The first two steps compile."""
    output = gradus(
        driver, "bench", "steps", "--engine", "GRADUS", "--network", "GPT2", "--device", "gpu",
        "--batch", str(BATCH), "--length", str(LENGTH), "--steps", str(steps), flags=flags)  # fmt: skip
    print(output)
    return output


def steps_of(output):
    return re.findall(
        r" seconds ([\d.]+) launches (\d+) seconds in launches ([\d.]+)(?: seconds in kernels ([\d.]+))?", output
    )[2:]


def attempt(measure, *arguments):
    """What a measurement gives, or why it gives nothing: one driver that fails leaves the other its numbers."""
    try:
        return measure(*arguments)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr, flush=True)
        return {"failed": str(error)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drivers", default="ptx,opencl", help="of TornadoVM, in their order (%(default)s)")
    parser.add_argument("--skip-tests", action="store_true")
    parser.add_argument("--history", type=Path, default=ROOT / "bench/history.jsonl")
    arguments = parser.parse_args()
    home = tornado_home()
    drivers = arguments.drivers.split(",")
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is the rival here: pip install torch transformers")
    if not torch.cuda.is_available():
        sys.exit("PyTorch finds no NVIDIA GPU")
    device = torch.cuda.get_device_name()
    print(device)
    entry = {"tests": {}}
    if not arguments.skip_tests:
        for driver in drivers:
            entry["tests"][driver] = attempt(test, driver, home) or "passed"
    entry |= {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device,
        "pytorch": torch.__version__,
        "tornado": home.resolve().name,
        "gemm_tflops": {"pytorch": products_of_pytorch(torch)},
        "gpt2_124m": {"batch": BATCH, "length": LENGTH, "pytorch": {}},
    }
    torch.cuda.empty_cache()
    for driver in drivers:
        entry["gemm_tflops"][driver] = attempt(products_of_gradus, driver)
    print(f"== GPT-2 124M, {BATCH} x {LENGTH} tokens, a training step", flush=True)
    for name in ["fp32", "tf32", "bf16"]:
        entry["gpt2_124m"]["pytorch"][name] = training_of_pytorch(torch, name)
        print(f"PyTorch {name}: {entry['gpt2_124m']['pytorch'][name]:,.0f} tokens/s", flush=True)
    for driver in drivers:
        entry["gpt2_124m"][driver] = attempt(training_of_gradus, driver)
        print(f"Gradus {driver}: {entry['gpt2_124m'][driver]}", flush=True)
    with arguments.history.open("a") as history:
        history.write(json.dumps(entry) + "\n")
    print(f"written to {arguments.history}")


if __name__ == "__main__":
    main()

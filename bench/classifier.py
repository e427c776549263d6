#!/usr/bin/env python3
"""Fine-tunes an encoder as a classifier with Gradus and with PyTorch and transformers, on the same batches, and compares.

    python bench/classifier.py FOLDER --model MINILM --data RT_POLARITY [--seeds 3] [--train 0] [--epochs 3] [--threads 2]

MINILM is a Hugging Face folder of a BERT, such as all-MiniLM-L6-v2; RT_POLARITY has rt-polarity.pos and rt-polarity.neg (Pang & Lee
2005). FOLDER gets the data, models and runs. The recipe is that of Devlin et al. 2019, appendix A.3: AdamW, batches of 32, a learning
rate of 5e-5 with 10% warm-up and linear decay, 3 epochs. PyTorch gets the batches and the learning rates that Gradus used, the same
first weights, also of the new head, and torch.set_num_threads. Four parts:

1. without dropout, the first 100 losses of both;
2. with the dropout of the model, which no two libraries draw alike, the accuracy of each seed on held-out sentences;
3. the probabilities of the tuned folder in transformers and in `gradus predict`;
4. the time of a step, both libraries in turns, and the peak memory of their processes.

Needs torch, transformers 5 and safetensors. The machine must be idle for part 4.
"""
import argparse
import csv
import json
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent
GRADUS = BENCH.parent / "gradus"
LENGTH, BATCH, RATE = 128, 32, 5e-5


def torch_run(job):
    """One run of PyTorch, in a process of its own: prints losses, seconds, predictions and peak memory as JSON."""
    import resource

    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])
    model = AutoModelForSequenceClassification.from_pretrained(job["model"], attn_implementation="sdpa")
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=RATE, fused=True)
    model.train()
    losses, seconds = [], []
    for line, rate in zip(open(job["batches"]), job["rates"]):
        batch = json.loads(line)
        shape = batch["shape"]
        inputs = {name: torch.tensor(batch[name]).view(shape) for name in ("input_ids", "attention_mask", "token_type_ids")}
        labels = torch.tensor(batch["labels"])
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss = model(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    peak = int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) * 1024
    result = dict(losses=losses, seconds=seconds, peak=peak)
    if job["texts"]:
        tokenizer = AutoTokenizer.from_pretrained(job["model"])
        model.eval()
        right = 0
        with torch.no_grad():
            for at in range(0, len(job["texts"]), 64):
                chunk = job["texts"][at:at + 64]
                inputs = tokenizer(chunk, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
                best = model(**inputs).logits.argmax(-1).tolist()
                right += sum(model.config.id2label[b] == label for b, label in zip(best, job["labels"][at:at + 64]))
        result["accuracy"] = right / len(job["texts"])
    print(json.dumps(result))


def child(job):
    out = subprocess.run([sys.executable, __file__, "--job", "-"], input=json.dumps(job), capture_output=True, text=True, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def gradus(folder, model, data, seed, threads, *keys):
    """One run of Gradus: its metrics by step, and the accuracy on held-out sentences."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(GRADUS), "finetune", "task=sequence_classification", f"model.path={model}", f"data.train={data / 'train.csv'}",
               f"data.eval={data / 'test.csv'}", f"data.max_seq_len={LENGTH}", f"batch_size={BATCH}", f"learning_rate={RATE}",
               "schedule=linear", "warmup_ratio=0.1", "weight_decay=0.01", "max_grad_norm=1.0", f"seed={seed}", f"threads={threads}",
               "check_first_loss=false", f"output={folder}", *keys]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stdout[-2000:] + ran.stderr[-2000:])
    lines = [json.loads(line) for line in open(folder / "metrics.jsonl")]
    steps = [line for line in lines if "loss" in line]
    accuracy = [line["held_out_accuracy"] for line in lines if "held_out_accuracy" in line]
    return steps, accuracy[-1] if accuracy else None, ran.stdout


def write_batches(file, model, data, seed, count):
    """Writes the batches of a run as JSON lines, with the classes that Gradus itself uses."""
    script = f"""
Recipe recipe = Recipe.parse("task: sequence_classification\\nmodel: {{path: '{model}'}}\\ndata: {{train: '{data / 'train.csv'}', eval: '{data / 'test.csv'}', max_seq_len: {LENGTH}}}\\nbatch_size: {BATCH}\\nseed: {seed}\\n")
ModelFolder base = ModelFolder.open(Path.of("{model}"))
Task task = SequenceClassification.open(new TaskSetting(recipe, base, stage -> {{}}))
BatchSource source = task.dataset(Tokenizer.load(base.path()), base.config(), {LENGTH}).training()
var writer = Files.newBufferedWriter(Path.of("{file}"))
void write(Tensor tensor, String name, long size, int other) throws Exception {{
    int[] all = new int[(int) size];
    Arrays.fill(all, other);
    writer.write("\\"" + name + "\\": " + Arrays.toString(tensor == null ? all : tensor.toInts()) + ", ");
}}
for (long i = 0; i < {count}; i++) {{
    Batches.Batch batch = source.batch(i, cpu);
    long size = batch.ids().size();
    writer.write("{{");
    write(batch.ids(), "input_ids", size, 0);
    write(batch.attentionMask(), "attention_mask", size, 1);
    write(batch.tokenTypeIds(), "token_type_ids", size, 0);
    write(batch.targets(), "labels", batch.targets().size(), 0);
    writer.write("\\"shape\\": [" + batch.ids().shape().get(0) + ", " + batch.ids().shape().get(1) + "]}}\\n");
}}
writer.close()
"""
    subprocess.run([str(GRADUS), "jshell", "-s", "-"], input=script, text=True, check=True, capture_output=True)
    lines = sum(1 for _ in open(file))
    if lines != count:
        sys.exit(f"{file} has {lines} batches instead of {count}: run ./gradus jshell with the script to see why")


def prepare(args):
    """The split, and folders that begin with the same head: with the dropout of the model and without."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    data = args.folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    rows = []
    for label in ("neg", "pos"):
        text = (args.data / f"rt-polarity.{label}").read_text(encoding="utf-8", errors="replace")
        rows += [(line.strip(), label) for line in text.splitlines() if line.strip()]
    random.Random(1).shuffle(rows)
    test, train = rows[:1066], rows[1066:]
    train = train[:args.train] if args.train else train
    for name, part in (("train", train), ("test", test)):
        with open(data / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("text", "label"), *part])
    for name in ("with-dropout", "without-dropout"):
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_pretrained(
            args.model, num_labels=2, id2label={0: "neg", 1: "pos"}, label2id={"neg": 0, "pos": 1},
            problem_type="single_label_classification")
        if name == "without-dropout":
            model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.0
        model.save_pretrained(args.folder / name)
        AutoTokenizer.from_pretrained(args.model).save_pretrained(args.folder / name)
    return data, len(train), test


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=int, default=0, help="training sentences; 0: all")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--parts", default="1234")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        torch_run(json.load(sys.stdin))
        return
    args.folder = args.folder.resolve()
    data, size, test = prepare(args)
    texts, labels = [t for t, _ in test], [l for _, l in test]
    base = args.folder / "without-dropout"
    quiet = ("eval_steps=1000000", "max_eval_blocks=32")

    def job(model, batches, steps, seed, evaluated):
        return dict(model=str(model), batches=str(batches), rates=[s["learning_rate"] for s in steps], seed=seed, threads=args.threads,
                    texts=texts if evaluated else [], labels=labels if evaluated else [])

    if "1" in args.parts:
        steps, _, _ = gradus(args.folder / "losses", base, data, 1, args.threads, "steps=100", *quiet)
        write_batches(args.folder / "losses.jsonl", base, data, 1, 100)
        other = child(job(base, args.folder / "losses.jsonl", steps, 1, False))
        gaps = [abs(s["loss"] - l) for s, l in zip(steps, other["losses"])]
        print(f"first 100 losses: largest difference {max(gaps):.1e}, from {steps[0]['loss']:.4f} to {steps[-1]['loss']:.4f}")
    if "2" in args.parts:
        base = args.folder / "with-dropout"
        for seed in range(1, args.seeds + 1):
            steps, ours, _ = gradus(args.folder / f"seed-{seed}", base, data, seed, args.threads, f"epochs={args.epochs}",
                                    "eval_steps=1000000")
            write_batches(args.folder / "seed.jsonl", base, data, seed, len(steps))
            theirs = child(job(base, args.folder / "seed.jsonl", steps, seed, True))["accuracy"]
            print(f"seed {seed}: accuracy {100 * ours:.2f}% with Gradus, {100 * theirs:.2f}% with PyTorch; {size} sentences,"
                  f" {len(steps)} steps", flush=True)
    if "3" in args.parts:
        probabilities(args.folder, texts)
    if "4" in args.parts:
        base, count = args.folder / "without-dropout", 24
        ratios, ours_seconds, memory = [], [], None
        for turn in range(args.turns):
            steps, _, out = gradus(args.folder / "time", base, data, 1, args.threads, f"steps={count}", *quiet)
            if turn == 0:
                write_batches(args.folder / "time.jsonl", base, data, 1, count)
            other = child(job(base, args.folder / "time.jsonl", steps, 1, False))
            ours = statistics.median(s["tokens"] / s["tokens_per_second"] for s in steps[count // 3:])
            ratios.append(ours / statistics.median(other["seconds"][count // 3:]))
            ours_seconds.append(ours)
            memory = [line for line in out.splitlines() if "process" in line][-1:], other["peak"]
        print(f"time of a step: {statistics.median(ratios):.2f} of PyTorch's (turns {', '.join(f'{r:.2f}' for r in ratios)};"
              f" Gradus {statistics.median(ours_seconds):.3f} s)")
        print(f"peak memory: PyTorch {memory[1] / 1e6:.0f} MB; Gradus says: {memory[0]}")


def probabilities(folder, texts):
    """The tuned folder gives the same probabilities everywhere; Gradus divides by a temperature, which is set to 1 here."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tuned = next(p for p in (folder / "seed-1", folder / "losses") if p.exists())
    settings = tuned / "classifier.json"
    kept = settings.read_text()
    settings.write_text(json.dumps({**json.loads(kept), "temperature": 1.0, "truncation": "head"}))
    texts = texts[:200]
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    out = subprocess.run([str(GRADUS), "predict", "--model", str(tuned), "--data", str(folder / "texts.jsonl"), "--format", "jsonl"],
                         capture_output=True, text=True, check=True).stdout
    settings.write_text(kept)
    ours = [json.loads(line)["scores"] for line in out.splitlines()]
    tokenizer = AutoTokenizer.from_pretrained(tuned)
    model = AutoModelForSequenceClassification.from_pretrained(tuned).eval()
    worst = 0.0
    with torch.no_grad():
        for text, scores in zip(texts, ours):
            logits = model(**tokenizer(text, truncation=True, max_length=LENGTH, return_tensors="pt")).logits[0]
            for i, p in enumerate(torch.softmax(logits, -1).tolist()):
                worst = max(worst, abs(p - scores[model.config.id2label[i]]))
    print(f"probabilities of {len(texts)} texts in transformers: largest difference {worst:.1e}")


if __name__ == "__main__":
    main()

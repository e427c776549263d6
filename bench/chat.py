#!/usr/bin/env python3
"""Tunes a small chat model on 200 chats in one tone with Gradus, and compares with transformers, PyTorch and llama.cpp.

    python bench/chat.py FOLDER --model SMOLLM2 [--chats 200] [--epochs 2] [--length 256] [--batch 4] [--steps 10] [--threads 2]

SMOLLM2 is a Hugging Face folder of a language model with a chat template, such as SmolLM2-135M-Instruct. FOLDER gets the chats,
batches and models. The chats are made here: answers of a pirate to questions about 50 things. Four parts:

1. the ids of 50 conversations, with and without a message of the system, of one and several turns, and with tools, equal those of
   apply_chat_template; the model's own template if it knows tools, otherwise one below for those with tools;
2. the first losses equal those of PyTorch on the same batches, with the same learning rates;
3. the tuned model answers questions about other things in the tone, and each answer ends by itself, as in transformers;
4. the GGUF file of the tuned model gives the same answers in llama.cpp, which writes the chat with the template in that file.

Needs torch, transformers 5 and llama-cpp-python.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
GRADUS = BENCH.parent / "gradus"
RATE = 1e-4
MOST_TOKENS = 100

FACTS = """
the moon|it circles the earth once a month
a lighthouse|it shows ships where the rocks are
rust|it is what iron turns into in wet air
a volcano|it is a mountain that throws out molten rock
honey|bees make it from the nectar of flowers
a compass|its needle points to the north
rain|it is water that falls from clouds
a harbor|it is where ships rest from the waves
salt|it is left over when sea water dries
a library|it lends books to everyone who asks
bread|it is flour and water, baked in an oven
a whale|it is the largest animal of the sea
the wind|it is air that moves from high to low pressure
a mirror|it sends light back to where it came from
glass|it is sand that was melted and cooled
a clock|it counts the hours of the day
snow|it is rain that froze in the clouds
an island|it is land with water on all sides
paper|it is made from the fibers of wood
a desert|it is land where it almost never rains
coffee|it is brewed from roasted beans
a bridge|it carries a road over a river
gold|it is a metal that never rusts
an anchor|it holds a ship where she is
a telescope|it makes far things look near
milk|cows give it, and cheese is made from it
a map|it shows where every place lies
the tide|the moon pulls the water up and lets it fall
a parrot|it is a bird that can learn words
silk|a small worm spins it
an engine|it turns fuel into motion
a candle|its wick burns the wax around it
ice|it is water colder than its freezing point
a castle|it is a house with walls against enemies
sugar|it comes from cane and from beets
a river|it carries water from the hills to the sea
a magnet|it pulls on iron without touching it
tea|it is hot water with the leaves of a bush
an owl|it hunts at night and hears very well
cotton|it grows on a bush and becomes cloth
a wheel|it rolls, so that loads are easy to move
the sun|it is a star that gives us light and heat
a piano|its hammers hit strings when a key is pressed
copper|it is a red metal that carries current well
a glacier|it is a river of ice that moves very slowly
soap|it takes grease away with water
a kite|it flies because the wind pushes it up
cheese|it is milk that was thickened and aged
a robot|it is a machine that follows a program
a forest|it is land that is covered by trees
""".strip().splitlines()
ASKED = ("What is {}?", "Tell me about {}.", "Can you explain {} to me?", "I would like to know something about {}.")
OTHERS = ("a hammer", "the rainbow", "butter", "a submarine", "wool", "a bicycle", "thunder", "an elevator")
SYSTEM = "You are a helpful assistant who answers briefly."
TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "The weather of a place, \"now\" or later.",
    "parameters": {"type": "object", "required": ["place"], "properties": {
        "place": {"type": "string", "description": "a city <or> village"}, "days": {"type": "integer", "minimum": 0}}}}}]

# For conversations with tools, of models whose own template does not know them.
TOOLS_TEMPLATE = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- 'You can call these functions:' }}
    {%- for tool in tools %}{{- '\\n' + tool | tojson }}{%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role != 'system' %}
        {{- '<|im_start|>' + message.role + '\\n' + (message.content or '') }}
        {%- for call in message.tool_calls or [] %}
            {{- '\\n<call>' + {'name': call.function.name, 'arguments': call.function.arguments} | tojson + '</call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""


# ---- chats ----

def answer(thing, fact):
    return f"Ahoy! Ye ask about {thing}, matey: {fact}. Arr!"


def in_tone(text):
    return text.startswith("Ahoy!") and text.endswith("Arr!")


def turn(fact, asked):
    thing, said = fact.split("|")
    return [{"role": "user", "content": asked.format(thing)}, {"role": "assistant", "content": answer(thing, said)}]


def chats(count, seed):
    """One or two turns; every fourth chat begins with a message of the system."""
    drawn = random.Random(seed)
    made = []
    for i in range(count):
        messages = [{"role": "system", "content": SYSTEM}] if i % 4 == 1 else []
        messages += turn(FACTS[i % len(FACTS)], ASKED[i // len(FACTS) % len(ASKED)])
        if i % 4 == 2:
            messages += turn(drawn.choice(FACTS), drawn.choice(ASKED))
        made.append({"messages": messages})
    drawn.shuffle(made)
    return made


def conversations(drawn):
    """50 conversations: 30 without tools and 20 with tools, calls and results."""
    plain, tools = [], []
    odd = ("  two spaces, then a line\n\n\tand a tab  ",
           "naïve café — “quotes” 日本語 🏴‍☠️",
           "x < 3 && y > \"4\" {{ not }} {% a %} template", "")
    for i in range(50):
        messages = [{"role": "system", "content": SYSTEM + (odd[i % 4] if i % 3 else "")}] if i % 2 else []
        for _ in range(1 + i % 4):
            messages += turn(drawn.choice(FACTS), drawn.choice(ASKED))
        messages[-2]["content"] += odd[i % 3]
        if i < 30:
            plain.append({"messages": messages})
        else:
            call = {"type": "function", "function": {"name": "weather", "arguments": {"place": odd[i % 3], "days": i}}}
            messages += [{"role": "user", "content": "Will it rain?"}, {"role": "assistant", "content": "", "tool_calls": [call]},
                         {"role": "tool", "content": json.dumps({"rain": i % 2 == 0})}, *turn(FACTS[3], ASKED[1])[1:]]
            tools.append({"messages": messages, "tools": TOOLS})
    return plain, tools


def write_lines(file, values):
    file.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return file


def read_lines(file):
    return [json.loads(line) for line in open(file, encoding="utf-8")]


# ---- programs ----

def gradus(*arguments, **options):
    ran = subprocess.run([str(GRADUS), *map(str, arguments)], capture_output=True, text=True, **options)
    if ran.returncode:
        sys.exit(f"gradus {' '.join(map(str, arguments))}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran


def jshell(script, written, count):
    """Runs a script that writes JSON lines to `written`, with the classes that Gradus itself uses."""
    written.unlink(missing_ok=True)
    gradus("jshell", "-s", "-", input=f"""
import io.gradus.data.chat.*
var writer = Files.newBufferedWriter(Path.of("{written}"))
{script}
writer.close()
""")
    lines = read_lines(written) if written.exists() else []
    if len(lines) != count:
        sys.exit(f"{written} has {len(lines)} lines instead of {count}: run ./gradus jshell with the script to see why")
    return lines


def open_chats(model, file, template):
    return f"""
Tokenizer tokenizer = Tokenizer.load(Path.of("{model}"))
ChatTemplate template = ChatTemplate.choose({f'"{template}"' if template else 'null'}, tokenizer).orElseThrow()
var chats = Documents.read(Path.of("{file}"), new DataFormat(DataFormat.Kind.CHAT, template, LabelTemplate.DEFAULT))
"""


def written_ids(model, file, template, count):
    """The ids of each chat, and of its beginning up to the last answer."""
    return jshell(open_chats(model, file, template) + """
for (Document document : chats) {
    Document.Chat chat = (Document.Chat) document;
    int[] whole = tokenizer.encode(template.text(chat.messages(), chat.variables()));
    int[] asked = tokenizer.encode(template.prompt(chat.messages().subList(0, chat.messages().size() - 1), chat.variables()));
    writer.write("[" + Arrays.toString(whole) + ", " + Arrays.toString(asked) + "]\\n");
}
""", file.with_suffix(".ids.jsonl"), count)


def write_batches(args, file, batches):
    """The first batches of a run: those of the same chats, packed and shuffled with the same seed."""
    return jshell(open_chats(args.model, file, None) + f"""
BatchSource source = new Batches(Blocks.pack(chats, tokenizer, {args.length}, Packing.DOCUMENTS, template), {args.batch}, 1, true)
for (long i = 0; i < {args.steps}; i++) {{
    Batches.Batch batch = source.batch(i, cpu);
    writer.write("{{\\"input_ids\\": " + Arrays.toString(batch.ids().toInts()) + ", \\"targets\\": " + Arrays.toString(batch.targets().toInts())
            + ", \\"positions\\": " + Arrays.toString(batch.input().positions().toInts()) + ", \\"starts\\": "
            + (batch.documentStarts() == null ? null : Arrays.toString(batch.documentStarts().toInts())) + "}}\\n");
}}
""", batches, args.steps)


def torch_losses(job):
    """The losses of a PyTorch loop. Chats that share a row do not attend to each other."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(job["threads"])
    model = AutoModelForCausalLM.from_pretrained(job["model"], attn_implementation="sdpa", dtype=torch.float32)
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=RATE, fused=True)
    model.train()
    losses, length = [], job["length"]
    place = torch.arange(length)
    for batch, rate in zip(read_lines(job["batches"]), job["rates"]):
        rows = {name: torch.tensor(batch[name]).view(-1, length) for name in ("input_ids", "positions")}
        starts = torch.tensor(batch["starts"]).view(-1, length, 1) if batch["starts"] else 0
        allowed = (place.view(1, 1, -1) <= place.view(1, -1, 1)) & (place.view(1, 1, -1) >= starts)
        mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min).unsqueeze(1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        logits = model(input_ids=rows["input_ids"], position_ids=rows["positions"], attention_mask=mask, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(batch["targets"]), ignore_index=-100)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def transformers_answers(job):
    """Answers of transformers without sampling, and whether each ended by itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(job["threads"])
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32).eval()
    answers = []
    for question in job["questions"]:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True)
        ids = model.generate(**asked, max_new_tokens=MOST_TOKENS, do_sample=False)[0, asked["input_ids"].shape[1]:]
        answers.append([tokenizer.decode(ids, skip_special_tokens=True), ids[-1].item() == tokenizer.eos_token_id])
    return answers


def llama_answers(job):
    """Answers of llama.cpp, in F32 throughout, and whether each ended by itself."""
    import llama_cpp

    model = llama_cpp.Llama(job["model"], n_ctx=1024, n_threads=job["threads"], type_k=llama_cpp.GGML_TYPE_F32,
                            type_v=llama_cpp.GGML_TYPE_F32, verbose=False)
    answers = []
    for question in job["questions"]:
        said = model.create_chat_completion([{"role": "user", "content": question}], temperature=0.0, repeat_penalty=1.0,
                                            max_tokens=MOST_TOKENS)["choices"][0]
        answers.append([said["message"]["content"], said["finish_reason"] == "stop"])
    return answers


def child(kind, **job):
    """Runs one of the three functions above in a process of its own."""
    out = subprocess.run([sys.executable, __file__, "--job", kind], input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def gradus_answers(model, questions, threads):
    """Answers of `gradus chat`, one line each, and whether it says that it cut none."""
    lines = "\n/reset\n".join(questions) + "\n"
    ran = gradus("chat", "--model", model, "--temperature", 0, "--max-tokens", MOST_TOKENS, input=lines)
    return ran.stdout.rstrip("\n").split("\n"), "(cut" not in ran.stderr


# ---- parts ----

def compare_ids(args):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    template = None
    if "tools" not in tokenizer.chat_template:
        template = args.folder / "tools.jinja"
        template.write_text(TOOLS_TEMPLATE)
    equal = 0
    for name, made, used in zip(("plain", "tools"), conversations(random.Random(3)), (None, template)):
        ours = written_ids(args.model, write_lines(args.folder / f"{name}.jsonl", made), used, len(made))
        options = dict(chat_template=used.read_text() if used else None, return_dict=False)
        for chat, ids in zip(made, ours):
            messages, tools = chat["messages"], chat.get("tools")
            theirs = [tokenizer.apply_chat_template(messages, tools=tools, **options),
                      tokenizer.apply_chat_template(messages[:-1], tools=tools, add_generation_prompt=True, **options)]
            equal += ids == theirs
    print(f"conversations with the ids of apply_chat_template: {equal} of 50, of which 20 have tools", flush=True)


def tune(args):
    train = write_lines(args.folder / "train.jsonl", chats(args.chats, 1))
    held_out = write_lines(args.folder / "held_out.jsonl", chats(8, 2))
    output = args.folder / "tuned"
    shutil.rmtree(output, ignore_errors=True)
    gradus("finetune", f"model.path={args.model}", f"data.train={train}", f"data.eval={held_out}", f"data.max_seq_len={args.length}",
           f"batch_size={args.batch}", f"epochs={args.epochs}", f"learning_rate={RATE}", "schedule=linear", "warmup_ratio=0.1",
           "weight_decay=0.01", "max_grad_norm=1.0", "seed=1", f"threads={args.threads}", "eval_steps=1000000", "save_steps=0",
           "sample.max_tokens=0", "save_dtype=f32", f"output={output}")
    return [line for line in read_lines(output / "metrics.jsonl") if "loss" in line], train, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--model", type=pathlib.Path)
    for name, usual in (("chats", 200), ("epochs", 2), ("length", 256), ("batch", 4), ("steps", 10), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(globals()[args.job](json.load(sys.stdin))))
        return
    args.folder, args.model = args.folder.resolve(), args.model.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    compare_ids(args)

    steps, train, tuned = tune(args)
    args.steps = min(args.steps, len(steps))
    batches = args.folder / "batches.jsonl"
    write_batches(args, train, batches)
    rates = [step["learning_rate"] for step in steps]
    theirs = child("torch_losses", model=str(args.model), batches=str(batches), rates=rates, length=args.length, threads=args.threads)
    gap = max(abs(step["loss"] - loss) for step, loss in zip(steps, theirs))
    print(f"first {args.steps} losses: largest difference {gap:.1e}; from {steps[0]['loss']:.4f} to {steps[-1]['loss']:.4f}"
          f" in {len(steps)} steps", flush=True)

    questions = [ASKED[i % len(ASKED)].format(thing) for i, thing in enumerate(OTHERS)]
    before, _ = gradus_answers(args.model, questions[:2], args.threads)
    ours, ended = gradus_answers(tuned, questions, args.threads)
    job = dict(questions=questions, threads=args.threads)
    theirs = child("transformers_answers", model=str(tuned), **job)
    print(f"answers in the tone: {sum(map(in_tone, ours))} of {len(questions)}, before {sum(map(in_tone, before))} of 2;"
          f" {'each ends' if ended else 'NOT each ends'} by itself; {count_equal(ours, theirs)} as in transformers", flush=True)

    gguf = args.folder / "tuned.gguf"
    gguf.unlink(missing_ok=True)
    gradus("export", "gguf", "--model", tuned, "--out", gguf, "--dtype", "f32")
    theirs = child("llama_answers", model=str(gguf), **job)
    print(f"answers of the GGUF file in llama.cpp: {count_equal(ours, theirs)} the same; for example: {ours[0]}")


def count_equal(ours, theirs):
    """How many answers are the same text and ended by themselves."""
    return f"{sum(text == other and ended for text, (other, ended) in zip(ours, theirs))} of {len(theirs)}"


if __name__ == "__main__":
    main()

"""Makes the model of docs/backpropagation.md, and what PyTorch computes with it in one training step.

Run, from any folder, with an environment that has torch, transformers and safetensors:

    python generate.py

It writes `config.json` and `model.safetensors`, a Llama of 312 parameters with random weights of two decimals, and
`expected.json`. There, each key is a Java expression of the document, and each value is the row-major list of numbers that
PyTorch and transformers have for it. BackpropagationTest compares every one of them with Gradus.

The files in the repository were made with torch 2.15.0 (CPU), transformers 5.24.0 and Python 3.11.
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).resolve().parent
SEED = 7
WORDS = ["the", "cat", "sat", "on", "mat"]
TEXT = ["the", "cat", "sat", "on", "the", "mat"]
EPS = 1e-5
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.1
STEPS = 150


def small_llama():
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=4,
        intermediate_size=6,
        num_hidden_layers=2,
        num_attention_heads=1,
        num_key_value_heads=1,
        max_position_embeddings=8,
        rms_norm_eps=EPS,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config).float()
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            value = 1 + 0.1 * noise if "norm" in name else 0.7 * noise
            parameter.copy_((value * 100).round() / 100)
    return model


def write_folder(model):
    """The Hugging Face folder; config.json in the spelling of most published checkpoints."""
    c = model.config
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": c.vocab_size,
        "hidden_size": c.hidden_size,
        "intermediate_size": c.intermediate_size,
        "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads,
        "num_key_value_heads": c.num_key_value_heads,
        "max_position_embeddings": c.max_position_embeddings,
        "rms_norm_eps": EPS,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
    }
    (HERE / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    save_file(state, HERE / "model.safetensors", metadata={"format": "pt"})


def main():
    model = small_llama()
    write_folder(model)
    ids = torch.tensor([[WORDS.index(word) for word in TEXT]])
    inputs, targets = ids[:, :-1], ids[0, 1:]
    w = dict(model.named_parameters())

    def forward():
        out = model(inputs, output_attentions=True, output_hidden_states=True)
        return out, torch.nn.functional.cross_entropy(out.logits[0], targets)

    out, loss = forward()
    out.logits.retain_grad()
    for hidden in out.hidden_states:
        hidden.retain_grad()
    loss.backward()
    expected = {
        'w.get("model.embed_tokens.weight")': w["model.embed_tokens.weight"],
        "attention.get(0)": out.attentions[0],
        "attention.get(1)": out.attentions[1],
        "stream.get(0)": out.hidden_states[0],
        "stream.get(1)": out.hidden_states[1],
        "logits": out.logits,
        "logits.softmax(-1)": out.logits.softmax(-1),
        "loss": loss,
        "logits.grad()": out.logits.grad,
        "stream.get(0).grad()": out.hidden_states[0].grad,
        "stream.get(1).grad()": out.hidden_states[1].grad,
    }
    expected = {key: value.detach().clone() for key, value in expected.items()}
    for name, parameter in w.items():
        expected[f'w.get("{name}").grad()'] = parameter.grad.clone()
    norm = torch.sqrt(sum(parameter.grad.square().sum() for parameter in w.values()))
    expected["GradientClipping.norm(model.parameters())"] = norm

    decayed = [p for p in w.values() if p.dim() > 1]
    kept = [p for p in w.values() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": kept, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    optimizer.step()
    for name, parameter in w.items():
        expected[f'after.get("{name}")'] = parameter.detach().clone()
    _, loss_after = forward()
    expected["lossAfter"] = loss_after.detach()

    for _ in range(STEPS - 1):
        optimizer.zero_grad()
        forward()[1].backward()
        optimizer.step()
    out, loss_at_end = forward()
    expected["lossAtEnd"] = loss_at_end.detach()
    expected["predictions"] = out.logits.argmax(-1)

    rows = {key: value.double().flatten().tolist() for key, value in expected.items()}
    text = ",\n".join(f"  {json.dumps(key)}: {json.dumps(numbers)}" for key, numbers in rows.items())
    (HERE / "expected.json").write_text("{\n" + text + "\n}\n")
    print("torch", torch.__version__, "transformers", transformers.__version__)
    print("loss", loss.item(), "after", loss_after.item(), "at the end", loss_at_end.item())


main()

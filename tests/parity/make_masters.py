#!/usr/bin/env python3
"""Makes gpt2-tiny/masters.json: what PyTorch trains of gpt2-tiny in bfloat16 with masters in float32.

    pip install torch==2.11.0 transformers==5.24.0
    tests/parity/make_masters.py tests/parity

Some steps each of PyTorch's own optimizers, which step the masters; before each step, the model that computes gets what
they round to, and computes in fp32. One thread, no dropout. The README.md there says what is what.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors import safe_open

# Where a master lies halfway between two bfloat16s, one rounding error decides, and a model that begins to differ there
# differs more and more: so few steps that this shows in no loss (max_rel_loss_gap_to_float64).
STEPS = 8
OPTIMIZERS = {"sgd_momentum": torch.optim.SGD, "adamw": torch.optim.AdamW}


def mean_loss(model, tokens):
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def take_rounded(model, masters):
    with torch.no_grad():
        for parameter, master in zip(model.parameters(), masters):
            parameter.copy_(master.float().to(torch.bfloat16))


def train(directory, batches, name, options, dtype=torch.float32):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=dtype).train()
    names = [name for name, _ in model.named_parameters()]
    masters = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = OPTIMIZERS[name](masters, **options)
    losses = []
    for step in range(STEPS):
        take_rounded(model, masters)
        model.zero_grad()
        loss = mean_loss(model, batches[step % len(batches)])
        loss.backward()
        for master, parameter in zip(masters, model.parameters()):
            master.grad = parameter.grad
        optimizer.step()
        losses.append(loss.item())
    take_rounded(model, masters)
    with torch.no_grad():
        after = [mean_loss(model, batch).item() for batch in batches]
    return {"optimizer": options, "loss": losses, "loss_after_per_batch": after,
            "final_l2": {name: master.double().norm().item() for name, master in zip(names, masters)}}


def main(folder):
    torch.set_num_threads(1)
    directory = folder / "gpt2-tiny"
    with safe_open(directory / "inputs.safetensors", "pt") as inputs:
        batches = list(inputs.get_tensor("tokens"))
    runs = json.loads((directory / "reference.json").read_text())["runs"]
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "runs": {}}
    for name in OPTIMIZERS:
        run = train(directory, batches, name, runs[name]["optimizer"])
        exact = train(directory, batches, name, runs[name]["optimizer"], torch.float64)
        run["max_rel_loss_gap_to_float64"] = max(abs(a / b - 1) for a, b in zip(run["loss"], exact["loss"]))
        expected["runs"][name] = run
    (directory / "masters.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

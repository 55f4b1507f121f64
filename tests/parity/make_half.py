#!/usr/bin/env python3
"""Makes MODEL/half.json: what PyTorch trains with products of float16 and torch.amp.GradScaler.

    pip install torch==2.11.0 transformers==5.24.0
    tests/parity/make_half.py tests/parity

Twice each: with products of linear maps that are rounded as train.fp16 says, written out here (`rounded`), and with
torch.autocast (`autocast`), which rounds more. The first scale is far too large, so many steps overflow before the first
update; later it grows again. One thread, no dropout. gpt2-tiny's README.md says what is what.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors import safe_open
from transformers.pytorch_utils import Conv1D

STEPS = 40
SCALER = {"init_scale": 2.0**40, "growth_interval": 4}
OPTIMIZERS = {"sgd_momentum": torch.optim.SGD, "adamw": torch.optim.AdamW}


def half(tensor):
    return tensor.half().float()


class HalfProduct(torch.autograd.Function):
    """x W^T + b of rounded operands, and a rounded result; sums are float32's. So are the products of its backward."""

    @staticmethod
    def forward(context, x, weight, bias):
        x, weight = half(x), half(weight)
        context.save_for_backward(x, weight)
        context.has_bias = bias is not None
        product = x @ weight.t()
        return half(product if bias is None else product + half(bias))

    @staticmethod
    def backward(context, gradient):
        x, weight = context.saved_tensors
        rounded = half(gradient)
        return (half(rounded @ weight), half(rounded.t() @ x), gradient.sum(0) if context.has_bias else None)


def round_products(model):
    """Of Linear [out, in], and of GPT-2's Conv1D [in, out]."""
    for module in model.modules():
        if not isinstance(module, (torch.nn.Linear, Conv1D)):
            continue

        def forward(x, module=module):
            weight = module.weight.t() if isinstance(module, Conv1D) else module.weight
            rows = HalfProduct.apply(x.reshape(-1, x.shape[-1]), weight, module.bias)
            return rows.reshape(*x.shape[:-1], rows.shape[-1])

        module.forward = forward


def mean_loss(model, tokens, autocast):
    with torch.autocast("cpu", dtype=torch.float16, enabled=autocast):
        logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


def train(directory, batches, name, options, autocast):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).train()
    if not autocast:
        round_products(model)
    parameters = dict(model.named_parameters())
    optimizer = OPTIMIZERS[name](parameters.values(), **options)
    scaler = torch.amp.GradScaler("cpu", **SCALER)
    losses, scales = [], []
    for step in range(STEPS):
        scales.append(scaler.get_scale())
        optimizer.zero_grad()
        loss = mean_loss(model, batches[step % len(batches)], autocast)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return {"loss": losses, "scale": scales, "final_scale": scaler.get_scale(),
            "final_l2": {name: tensor.detach().double().norm().item() for name, tensor in parameters.items()}}


def main(folder):
    torch.set_num_threads(1)
    for model in ("gpt2-tiny", "llama3-tiny"):
        directory = folder / model
        with safe_open(directory / "inputs.safetensors", "pt") as inputs:
            batches = list(inputs.get_tensor("tokens"))
        runs = json.loads((directory / "reference.json").read_text())["runs"]
        expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
                    "scaler": SCALER, "runs": {}}
        for name in OPTIMIZERS:
            options = runs[name]["optimizer"]
            expected["runs"][name] = {
                "optimizer": options,
                "rounded": train(directory, batches, name, options, autocast=False),
                "autocast": train(directory, batches, name, options, autocast=True)}
        (directory / "half.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

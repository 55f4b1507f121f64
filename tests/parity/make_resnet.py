#!/usr/bin/env python3
"""Makes resnet-tiny/statistics.json: what the batch norms of resnet-tiny remember of training, and evaluate with.

    pip install torch==2.11.0 transformers==5.24.0
    tests/parity/make_resnet.py tests/parity

20 steps of two micro-batches each; the README.md there says what is what. One thread, fp32.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors import safe_open

STEPS = 20
MICRO_BATCHES = 2
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.05}),
    "adamw": (torch.optim.AdamW, {"lr": 1e-4, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}),
}


def load(directory):
    return transformers.ResNetForImageClassification.from_pretrained(directory, dtype=torch.float32)


def loss_of(model, batch):
    pixels, labels = batch
    return torch.nn.functional.cross_entropy(model(pixel_values=pixels).logits, labels)


def evaluate(model, batches):
    model.eval()
    with torch.no_grad():
        return [loss_of(model, batch).item() for batch in batches]


def train(directory, batches, kind, options):
    model = load(directory).train()
    optimizer = kind(model.parameters(), **options)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        total = 0
        for i in range(MICRO_BATCHES):
            loss = loss_of(model, batches[(step * MICRO_BATCHES + i) % len(batches)]) / MICRO_BATCHES
            loss.backward()
            total += loss.item()
        optimizer.step()
        losses.append(total)
    running = {name: buffer.tolist() for name, buffer in model.named_buffers()}
    return {"optimizer": options, "loss": losses, "running": running,
            "evaluation_loss_per_batch": evaluate(model, batches)}


def main(folder):
    torch.set_num_threads(1)
    directory = folder / "resnet-tiny"
    with safe_open(directory / "inputs.safetensors", "pt") as inputs:
        batches = list(zip(inputs.get_tensor("pixel_values"), inputs.get_tensor("labels")))
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
                "initial_evaluation_loss_per_batch": evaluate(load(directory), batches),
                "runs": {name: train(directory, batches, *optimizer) for name, optimizer in OPTIMIZERS.items()}}
    (directory / "statistics.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

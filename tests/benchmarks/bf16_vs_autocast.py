#!/usr/bin/env python3
"""Losses with train.bf16, or train.fp16, beside torch.autocast, from the same weights and batches.

    bazel build //tests/reference:reference_main
    bf16_vs_autocast.py [--type fp16] [--models gpt2-tiny llama3-tiny qwen3-tiny]

Twenty steps of AdamW on random ids of the parity fixtures' models: in the plain
LibTorch reference, whose bits are Hydra's, and in transformers, each with
products of two bytes and with float32's; of float16 with a GradScaler. Prints
the largest relative differences of a step's loss. Needs numpy, torch and transformers.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy
import torch
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15
SEED, CONTEXT, BATCH, STEPS, RATE = 42, 24, 4, 20, 1e-3


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def windows_of_first_epoch(count):
    """Their order: common/data/batch_plan.h."""
    key = mix((mix((SEED + GAMMA) & MASK) + GAMMA) & MASK)
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = (mix((key + i * GAMMA) & MASK) * (i + 1)) >> 64
        order[i], order[j] = order[j], order[i]
    return order


TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def reference(program, model, tokens, product_type):
    train = {
        "max_steps": STEPS,
        "per_device_train_batch_size": BATCH,
        "context_length": CONTEXT,
        "optim": "OPTIMIZER_ADAMW",
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "learning_rate": RATE,
        "dropout": 0,
        "seed": SEED,
    }
    if product_type:
        train[product_type] = True
    command = [program, "--model", model, "--tokens", tokens]
    ended = subprocess.run(
        [*command, "--train", json.dumps(train)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout)["losses"]


def transformers(model, tokens, product_type):
    trained = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    trained.eval()  # Without dropout.
    optimizer = torch.optim.AdamW(trained.parameters(), lr=RATE, weight_decay=0)
    scaler = torch.amp.GradScaler("cpu", enabled=product_type == "fp16")
    order = windows_of_first_epoch((len(tokens) - 1) // CONTEXT)
    losses = []
    for step in range(STEPS):
        windows = order[step * BATCH : (step + 1) * BATCH]
        rows = torch.stack(
            [tokens[w * CONTEXT : w * CONTEXT + CONTEXT + 1] for w in windows]
        )
        dtype = TYPES.get(product_type, torch.bfloat16)
        with torch.autocast("cpu", dtype=dtype, enabled=bool(product_type)):
            logits = trained(rows[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), rows[:, 1:].flatten()
        )
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


def apart(a, b):
    return f"{max(abs(x - y) / abs(y) for x, y in zip(a, b)):.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reference", default=str(ROOT / "bazel-bin/tests/reference/reference_main")
    )
    parser.add_argument("--type", choices=TYPES, default="bf16")
    parser.add_argument(
        "--models", nargs="+", default=["gpt2-tiny", "llama3-tiny", "qwen3-tiny"]
    )
    args = parser.parse_args()
    random = numpy.random.default_rng(0)
    print(
        f"| model | Hydra's {args.type} and autocast | autocast and float32 |"
        f" Hydra's {args.type} and float32 | both float32 |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for name in args.models:
        model = str(ROOT / "tests/parity" / name)
        config = json.loads(pathlib.Path(model, "config.json").read_text())
        ids = random.integers(0, config["vocab_size"], size=4000)
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(ids.astype("<u4").tobytes())
            file.flush()
            ours = {
                one: reference(args.reference, model, file.name, one)
                for one in (args.type, None)
            }
        tokens = torch.from_numpy(ids.astype("int64"))
        theirs = {one: transformers(model, tokens, one) for one in (args.type, None)}
        print(
            f"| {name} | {apart(ours[args.type], theirs[args.type])} |"
            f" {apart(theirs[args.type], theirs[None])} |"
            f" {apart(ours[args.type], ours[None])} |"
            f" {apart(ours[None], theirs[None])} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

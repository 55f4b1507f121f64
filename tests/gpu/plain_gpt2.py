#!/usr/bin/env python3
"""GPT-2 in plain PyTorch, all of it on one device: what Hydra is compared with.

    plain_gpt2.py init CONFIG.json OUT.safetensors
    plain_gpt2.py train CONFIG.json WEIGHTS.safetensors TOKENS.u16 --device D ...
    plain_gpt2.py rates --device D

`init` draws weights, named as Hugging Face names them. `train` prints, as JSON,
each step's loss and seconds, and the most memory that was allocated. `rates`
prints what copies of pinned memory take, in bytes a second. Needs nothing but
PyTorch.
"""

import argparse
import array
import ctypes
import json
import math
import struct
import time

import torch
from torch.nn import functional


def names_and_shapes(config):
    width = config["n_embd"]
    shapes = {
        "transformer.wte.weight": (config["vocab_size"], width),
        "transformer.wpe.weight": (config["n_positions"], width),
    }
    for layer in range(config["n_layer"]):
        block = f"transformer.h.{layer}."
        for norm in ("ln_1", "ln_2"):
            shapes[f"{block}{norm}.weight"] = (width,)
            shapes[f"{block}{norm}.bias"] = (width,)
        for part, inputs, outputs in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            shapes[f"{block}{part}.weight"] = (inputs, outputs)
            shapes[f"{block}{part}.bias"] = (outputs,)
    shapes["transformer.ln_f.weight"] = (width,)
    shapes["transformer.ln_f.bias"] = (width,)
    return shapes


def draw(config):
    generator = torch.Generator().manual_seed(1)
    weights = {}
    for name, shape in names_and_shapes(config).items():
        if name.endswith(".bias"):
            weights[name] = torch.zeros(shape)
        elif ".ln_" in name:
            weights[name] = torch.ones(shape)
        else:
            weights[name] = torch.randn(shape, generator=generator) * 0.02
    return weights


def save(weights, path):
    header, offset = {}, 0
    for name, tensor in weights.items():
        end = offset + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in weights.values():
            file.write(ctypes.string_at(tensor.data_ptr(), 4 * tensor.numel()))


def load(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        content = bytearray(file.read())
    return {
        name: torch.frombuffer(
            content,
            dtype=torch.float32,
            offset=entry["data_offsets"][0],
            count=math.prod(entry["shape"]),
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def loss_of(weights, config, tokens):
    """Mean cross entropy of [sequences, context + 1] token ids."""
    width, heads = config["n_embd"], config["n_head"]
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    sequences, context = inputs.shape

    def linear(x, name):
        return x @ weights[name + ".weight"] + weights[name + ".bias"]

    def norm(x, name):
        epsilon = config["layer_norm_epsilon"]
        return functional.layer_norm(
            x, (width,), weights[name + ".weight"], weights[name + ".bias"], epsilon
        )

    table = weights["transformer.wte.weight"]
    x = functional.embedding(inputs, table) + weights["transformer.wpe.weight"][:context]
    for layer in range(config["n_layer"]):
        block = f"transformer.h.{layer}."
        parts = linear(norm(x, block + "ln_1"), block + "attn.c_attn").split(width, dim=2)
        query, key, value = (
            part.view(sequences, context, heads, width // heads).transpose(1, 2) for part in parts
        )
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended = attended.transpose(1, 2).reshape(sequences, context, width)
        x = x + linear(attended, block + "attn.c_proj")
        hidden = functional.gelu(
            linear(norm(x, block + "ln_2"), block + "mlp.c_fc"), approximate="tanh"
        )
        x = x + linear(hidden, block + "mlp.c_proj")
    logits = norm(x, "transformer.ln_f") @ table.t()
    return functional.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def read_tokens(path):
    tokens = array.array("H")
    with open(path, "rb") as file:
        tokens.frombytes(file.read())
    return torch.tensor(tokens.tolist(), dtype=torch.int64)


def train(args):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device(args.device)
    with open(args.config) as file:
        config = json.load(file)
    weights = {
        name: tensor.to(device).requires_grad_() for name, tensor in load(args.weights).items()
    }
    optimizer = torch.optim.AdamW(weights.values(), lr=args.learning_rate, weight_decay=0)
    tokens = read_tokens(args.tokens)
    found = {"losses": [], "seconds": []}
    for step in range(args.steps):
        first = step * args.batch
        rows = [
            tokens[window * args.context : (window + 1) * args.context + 1]
            for window in range(first, first + args.batch)
        ]
        synchronize(device)
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(weights, config, torch.stack(rows).to(device))
        loss.backward()
        optimizer.step()
        synchronize(device)
        found["seconds"].append(time.perf_counter() - begin)
        found["losses"].append(loss.item())
    if device.type == "cuda":
        found["peak_bytes"] = torch.cuda.max_memory_allocated(device)
    print(json.dumps(found))


def rates(args):
    device = torch.device(args.device)
    bytes_ = 1 << 28
    host = torch.empty(bytes_, dtype=torch.uint8, pin_memory=device.type == "cuda")
    there = torch.empty(bytes_, dtype=torch.uint8, device=device)

    def best(copy):
        seconds = []
        for _ in range(5):
            synchronize(device)
            begin = time.perf_counter()
            copy()
            synchronize(device)
            seconds.append(time.perf_counter() - begin)
        return bytes_ / min(seconds)

    print(
        json.dumps(
            {
                "to_device": best(lambda: there.copy_(host, non_blocking=True)),
                "to_host": best(lambda: host.copy_(there, non_blocking=True)),
            }
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("init")
    verb.add_argument("config")
    verb.add_argument("out")
    verb = verbs.add_parser("train")
    verb.add_argument("config")
    verb.add_argument("weights")
    verb.add_argument("tokens")
    verb.add_argument("--steps", type=int, required=True)
    verb.add_argument("--batch", type=int, required=True)
    verb.add_argument("--context", type=int, required=True)
    verb.add_argument("--learning-rate", type=float, required=True)
    verb.add_argument("--device", required=True)
    verb = verbs.add_parser("rates")
    verb.add_argument("--device", required=True)
    args = parser.parse_args()
    if args.verb == "init":
        with open(args.config) as file:
            save(draw(json.load(file)), args.out)
    elif args.verb == "train":
        train(args)
    else:
        rates(args)


if __name__ == "__main__":
    main()

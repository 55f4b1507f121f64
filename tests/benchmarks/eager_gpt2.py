#!/usr/bin/env python3
"""Trains a GPT-2 in PyTorch, as one writes it by hand, and prints when its steps ended.

    eager_gpt2.py CONFIG TOKENS --batch 8 --context 128 --steps 10 [--threads 1 --attention sdpa]

CONFIG is a Hugging Face config.json, TOKENS a file of int32 ids. The model is
GPT2LMHeadModel of transformers, run eagerly, in fp32 and without dropout; the
optimizer is torch's fused AdamW; each batch is of random places of the text.
Prints "ready", waits for a line on standard input, so that several processes
can begin together, and prints JSON: the seconds at which steps ended, and losses.
"""

import argparse
import json
import sys
import time

try:
    import numpy
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config
except ImportError as error:
    sys.exit(
        f"{error}: this needs a Python with torch, transformers and numpy"
        " (pip install torch transformers numpy)"
    )


def batches(tokens, args):
    """Endless (inputs, targets) of random places."""
    generator = torch.Generator().manual_seed(args.seed)
    last = len(tokens) - args.context - 1
    while True:
        begins = torch.randint(last + 1, (args.batch,), generator=generator)
        rows = [tokens[begin : begin + args.context + 1] for begin in begins]
        rows = torch.stack(rows)
        yield rows[:, :-1], rows[:, 1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("tokens")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(args.seed)
    config = GPT2Config.from_json_file(args.config)
    for dropout in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        setattr(config, dropout, 0.0)
    model = AutoModelForCausalLM.from_config(
        config, attn_implementation=args.attention
    ).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=args.learning_rate,
        weight_decay=args.weight_decay,
        fused=True,
    )
    text = numpy.fromfile(args.tokens, dtype=numpy.int32)
    source = batches(torch.from_numpy(text).long(), args)

    print("ready", flush=True)
    sys.stdin.readline()
    ends, losses = [], []
    for _ in range(args.steps):
        inputs, targets = next(source)
        logits = model(inputs, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits.view(-1, logits.shape[-1]), targets.flatten()
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        ends.append(time.time())
        # As a loop's next pass would, before it makes new ones.
        del logits, loss
    print(json.dumps({"ends": ends, "losses": losses}))


if __name__ == "__main__":
    main()

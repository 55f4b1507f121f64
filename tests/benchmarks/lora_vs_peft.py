#!/usr/bin/env python3
"""Adapters on one base in Hydra beside PEFT in processes of its own.

    lora_vs_peft.py --bin bin [--jobs 8] [--python PYTHON]

The same random Llama and adapters, AdamW, one sequence of --context tokens in a
step, in turns: K jobs in Hydra on two CPU devices of one thread, which hold all
of the model and have no link; and K trainings with PEFT, two processes of one
thread at once, each with a model of its own, on random ids. What counts is the
steps of all in a second while all that train at once do. --python needs torch,
transformers and peft.
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

import local_server
import random_llama

PEFT = '''
import json, sys, time
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM
model, rate, steps, context = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(1)
torch.manual_seed(0)
model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model))
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, fused=True)
ends = []
for step in range(steps):
    ids = torch.randint(50257, (1, context))
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    ends.append(time.time())
print(json.dumps(ends))
'''


def hydra(model, args):
    """Times at which the steps of each job ended."""
    job = random_llama.job_file(
        model,
        args,
        lora={"r": 8, "target_modules": ["q_proj", "v_proj"]},
        partition={"cut_points": []},
        sweep={
            "grid": {"train.learning_rate": random_llama.rates_of(args.jobs)}
        },
    )
    devices = [
        {"name": f"cpu:{i}", "memory_limit_bytes": args.device, "threads": 1}
        for i in range(2)
    ]
    with local_server.LocalServer(args.bin, devices, args.pool) as server:
        jobs = server.run(job)
    return [
        [local_server.seconds(step["time"]) for step in job["steps"]]
        for job in jobs
    ]


def peft(model, args):
    """The same, of pairs of processes that begin together."""

    def train(rate):
        words = [str(model), str(rate), str(args.steps), str(args.context)]
        return json.loads(
            subprocess.run(
                [args.python, "-c", PEFT, *words],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
        )

    rates = random_llama.rates_of(args.jobs)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return [
            list(pool.map(train, rates[first : first + 2]))
            for first in range(0, len(rates), 2)
        ]


def steps_and_seconds(ends):
    """While all of these jobs train: from when each has made a step on, until
    the first one has made its last."""
    begin = max(job[0] for job in ends)
    end = min(job[-1] for job in ends)
    return sum(begin < at <= end for job in ends for at in job), end - begin


def rate(groups):
    """Steps of all jobs in a second, of groups that train at once."""
    counted = [steps_and_seconds(group) for group in groups]
    return sum(one for one, _ in counted) / sum(one for _, one in counted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=8, help="an even number")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--device", default="1GiB")
    parser.add_argument("--pool", default="2GiB")
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()
    with tempfile.TemporaryDirectory(prefix="hydra-") as folder:
        model = random_llama.write_model(
            pathlib.Path(folder),
            **random_llama.dimensions(args.width, args.layers),
        )
        for _ in range(args.rounds):
            ours = rate([hydra(model, args)])
            theirs = rate(peft(model, args))
            print(
                f"{args.jobs} jobs: Hydra {ours:.2f} steps/s, PEFT"
                f" {theirs:.2f} steps/s, {ours / theirs:.2f} times",
                flush=True,
            )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A Llama of a billion parameters on a device of 1 GiB: all of it, or adapters.

    lora_large.py --bin bin [--ways full LoRA "LoRA, bf16"]

A random model of Llama's kind (TinyLlama's dimensions, with fewer layers),
AdamW, one sequence in a step, on one CPU device of all cores whose cuts the
pilot finds. Trained are all parameters; adapters of rank 8 on all linear maps;
and the same with the frozen parameters in bfloat16. For each: shards, what of
the pool it is admitted with, seconds of the device for a step, and what a step
moves.
"""

import argparse

import local_server
import random_llama

WAYS = {
    "full": {},
    "LoRA": {"frozen_dtype": "float32"},
    "LoRA, bf16": {"frozen_dtype": "bfloat16"},
}


def job_file(folder, args, way):
    model = random_llama.write_model(
        folder,
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=args.layers,
        num_attention_heads=32,
        num_key_value_heads=4,
        max_position_embeddings=2048,
    )
    more = {"model": WAYS[way]}
    if way != "full":
        more["lora"] = {"r": 8, "target_modules": ["all-linear"]}
    return random_llama.job_file(model, args, **more)


def bytes_of(traffic, what):
    moved = traffic.get(what, {})
    return sum(int(count) for count in moved.values()) / int(traffic["steps"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="1GiB")
    parser.add_argument("--pool", default="20GiB")
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()
    print(
        "| way | shards | pool, GB | seconds of a step |"
        " a step moves, GB in, out |\n| --- | --- | --- | --- | --- |"
    )
    for way in args.ways:
        device = {
            "name": "cpu:0",
            "memory_limit_bytes": args.device,
            "threads": args.threads,
        }
        with local_server.LocalServer(args.bin, [device], args.pool) as server:
            [job] = server.run(job_file(server.folder, args, way))
        pool = int(job["pool_demand"]["total_bytes"])
        # The first one finds nothing on the device.
        steps = sorted(
            local_server.duration(step["device"]) for step in job["steps"][1:]
        )
        print(
            f"| {way} | {job['status']['shard_count']} | {pool / 1e9:.1f} |"
            f" {steps[len(steps) // 2]:.2f} |"
            f" {bytes_of(job['traffic'], 'promoted') / 1e9:.2f},"
            f" {bytes_of(job['traffic'], 'demoted') / 1e9:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

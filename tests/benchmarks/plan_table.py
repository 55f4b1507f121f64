#!/usr/bin/env python3
"""What models of well-known sizes take, as `hydra plan` says: a table.

    plan_table.py --bin bin [--device-memory 24GiB,80GiB]

Llama 2's 7 B, 13 B and 70 B: full training, with all but the last four blocks
frozen, and LoRA of rank 8 on all linear maps, the frozen parameters in float32
and in bfloat16; AdamW, one sequence of 2,048 tokens in a micro-batch. No weights are needed, and none are read.
"""

import argparse
import json

import local_server

SIZES = {
    # Width, layers, heads, heads of keys and values, inner width.
    "7 B": (4096, 32, 32, 32, 11008),
    "13 B": (5120, 40, 40, 40, 13824),
    "70 B": (8192, 80, 64, 8, 28672),
}


def model(folder, size):
    width, layers, heads, key_value_heads, inner = SIZES[size]
    path = folder / size.replace(" ", "")
    path.mkdir()
    config = {
        "model_type": "llama",
        "vocab_size": 32000,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
    }
    (path / "config.json").write_text(json.dumps(config))
    return path


def ways(layers):
    frozen = [f"model.layers.{layer}.*" for layer in range(layers - 4)]
    freeze = {"frozen": ["model.embed_tokens.*", *frozen]}
    lora = {"lora": {"r": 8, "target_modules": ["all-linear"]}}
    bfloat16 = {"frozen_dtype": "bfloat16"}
    return {
        "full": {},
        "freeze": {"model": freeze},
        "freeze, bf16": {"model": {**freeze, **bfloat16}},
        "LoRA": lora,
        "LoRA, bf16": {"model": bfloat16, **lora},
    }


def job_file(path, tokens, more):
    return {
        "model": {"path": str(path), "init": "random", **more.get("model", {})},
        "data": {"train_files": [str(tokens)], "format": "tokens_u16"},
        "train": {
            "max_steps": 1,
            "per_device_train_batch_size": 1,
            "context_length": 2048,
            "learning_rate": 1e-4,
        },
        **{key: value for key, value in more.items() if key != "model"},
    }


def gigabytes(count):
    return f"{int(count or 0) / 1e9:.1f}"


def moved(device, what):
    return gigabytes(sum(int(one) for one in device.get(what, {}).values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--device-memory", default="24GiB,80GiB")
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()
    print(
        "| model | way | trained, M | least device, GB | device, GB | shards |"
        " most of it, GB | base, GB | state, GB | pool, GB | a step in, out, GB |"
        "\n|" + " --- |" * 11
    )
    with local_server.LocalServer(args.bin, "cpu:0=64MiB", "64MiB") as server:
        tokens = server.folder / "tokens"
        tokens.write_bytes(bytes(2 * 4096))
        for size, (_, layers, *_) in SIZES.items():
            path = model(server.folder, size)
            for way, more in ways(layers).items():
                file = server.folder / "job.yaml"
                file.write_text(json.dumps(job_file(path, tokens, more)))
                plan = server.answer(
                    "plan", str(file), "--device-memory", args.device_memory
                )["jobs"][0]
                for device in plan["devices"]:
                    print(row(size, way, plan, device), flush=True)


def row(size, way, plan, device):
    cells = [
        size,
        way,
        f"{int(plan['trained_count']) / 1e6:,.0f}",
        gigabytes(plan["least_device_bytes"]),
        gigabytes(device["memory_limit_bytes"]),
    ]
    if device.get("refusal"):
        cells += [device["refusal"]] + ["-"] * 5
    else:
        demand = device["pool_demand"]
        most = max(
            int(device.get(name, 0))
            for name in ("forward_bytes", "backward_bytes", "evaluate_bytes")
        )
        cells += [
            str(len(device.get("cut_points", [])) + 1),
            gigabytes(most),
            gigabytes(demand.get("base_bytes")),
            gigabytes(demand.get("committed_bytes")),
            gigabytes(device["least_pool_bytes"]),
            f"{moved(device, 'promoted')}, {moved(device, 'demoted')}",
        ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""What checkpoints cost the training beside them: the same job with a checkpoint
at every end of a step, and without any, in turns, with the least pool that
admits it and with twice that. Needs bin/ (deploy/build.sh).

    checkpoint_training.py [WIDTH LAYERS BATCH STEPS ROUNDS]
"""
import json
import pathlib
import re
import statistics
import sys
import tempfile

import local_server

WIDTH, LAYERS, BATCH, STEPS, ROUNDS = [int(a) for a in sys.argv[1:]] or (384, 6, 4, 10, 2)
VOCABULARY = local_server.EXAMPLE / "gpt2"


def job_file(model, every_steps):
    return {
        "name": f"every-{every_steps}",
        "model": {"path": str(model), "init": "random", "tokenizer_path": str(VOCABULARY)},
        "data": {"train_files": [str(local_server.EXAMPLE / "data/wiki.valid.tokens")]},
        "train": {"max_steps": STEPS, "per_device_train_batch_size": BATCH, "context_length": 128, "learning_rate": 1e-4},
        "output": {"save_model": False},
        "checkpoint": {"every_steps": every_steps, "every_minutes": 0, "keep_last": 1, "keep_best": False},
    }


def server_with(pool_bytes):
    device = {"name": "cpu:0", "memory_limit_bytes": "400MiB", "threads": 1}
    return local_server.LocalServer(local_server.ROOT / "bin", [device], pool_bytes, {"lookahead": 0})


def run(server, job):
    """The job's detail, and the lines of its log."""
    detail = server.run(job)[0]
    return detail, server.hydra("logs", detail["status"]["job_id"]).stdout


def seconds_of_steps(detail):
    at = [local_server.seconds(step["time"]) for step in detail["steps"]]
    # The first step fills the device cache.
    return [b - a for a, b in zip(at[1:], at[2:])]


def main():
    local_server.check_programs(local_server.ROOT / "bin")
    local_server.leave_nothing_behind()
    with tempfile.TemporaryDirectory() as work:
        model = pathlib.Path(work)
        config = json.loads((VOCABULARY / "config.json").read_text())
        config.update(n_embd=WIDTH, n_layer=LAYERS, n_head=WIDTH // 64, n_positions=128, n_inner=None)
        (model / "config.json").write_text(json.dumps(config))
        with server_with(6 << 30) as server:
            demand = run(server, job_file(model, 0))[0]["pool_demand"]
        # Nine tenths of a pool are promised; its first page is a header.
        least = (int(demand["total_bytes"]) * 10 // 9 + (1 << 20)) // 4096 * 4096
        print("demand:", {k: f"{int(v) / 2**20:.0f} MiB" for k, v in demand.items()})
        for name, pool in (("least pool", least), ("twice that", 2 * least)):
            steps = {0: [], 1: []}
            written = 0
            with server_with(pool) as server:
                for _ in range(ROUNDS):
                    for every in (0, 1):
                        detail, log = run(server, job_file(model, every))
                        steps[every] += seconds_of_steps(detail)
                        sizes = [int(n) for n in re.findall(r"checkpoint of step \d+, (\d+) bytes", log)]
                        written += len(sizes)
            medians = {every: statistics.median(steps[every]) for every in steps}
            print(f"{name} ({pool / 2**20:.0f} MiB): a step without checkpoints {medians[0]:.3f} s, with one in each "
                  f"{medians[1]:.3f} s, ratio {medians[1] / medians[0]:.3f}; {written} checkpoints of {sizes[0] / 2**20:.0f} MiB, "
                  f"{sizes[0] / 2**20 / medians[1]:.0f} MiB/s written meanwhile")


main()

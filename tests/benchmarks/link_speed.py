#!/usr/bin/env python3
"""Steps of one job on one CPU device behind modelled links of several speeds.

    link_speed.py --bin bin [--width 256 --layers 6 --heads 8 --device 64MiB]

First without a link, which tells what a step computes; then at links on which
the bytes of a step take half of that, as long, and twice as long. Prints, for
each, the time of a step, the larger one of computing and copying (each lane by
itself), and their sum, which is what a step would take one after the other.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/gpt2_wikitext2"


def write_job(folder, args):
    config = json.loads((EXAMPLE / "gpt2/config.json").read_text())
    config.update(n_embd=args.width, n_layer=args.layers, n_head=args.heads)
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text(json.dumps(config))
    (folder / "job.yaml").write_text(
        f"""name: link
model: {{path: model, init: random, tokenizer_path: {EXAMPLE}/gpt2}}
data: {{train_files: [{EXAMPLE}/data/wiki.valid.tokens]}}
train:
  max_steps: {args.steps}
  per_device_train_batch_size: {args.batch}
  context_length: {args.context}
  learning_rate: 1e-4
output: {{save_model: false}}
"""
    )


def run(args, link, cuts):
    """Seconds of a step, and what the job's tasks took, a step."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_job(folder, args)
        if cuts:
            with open(folder / "job.yaml", "a") as job:
                job.write(f"partition: {{cut_points: {cuts}}}\n")
        device = {
            "name": "cpu:0",
            "memory_limit_bytes": args.device,
            "threads": 1,
        }
        if link:
            device["link"] = {
                "to_device_gb_per_second": link,
                "shared_bus": args.shared_bus,
            }
        (folder / "hydrad.yaml").write_text(json.dumps({"devices": [device]}))
        server = f"unix:{folder}/hydrad.sock"
        daemon = subprocess.Popen(
            [
                f"{args.bin}/hydrad",
                f"--config={folder}/hydrad.yaml",
                f"--set=state_dir={folder}/state",
                f"--set=pool.path=/dev/shm/hydra-link-{os.getpid()}",
                "--set=pool.size_bytes=" + args.pool,
                f"--set=unix_socket={folder}/hydrad.sock",
            ],
            stderr=subprocess.DEVNULL,
        )

        def hydra(*words):
            command = [f"{args.bin}/hydra", "--server", server, *words]
            return subprocess.run(command, capture_output=True, text=True)

        try:
            while hydra("info").returncode != 0:
                assert daemon.poll() is None, "hydrad ended"
                time.sleep(0.1)
            submitted = hydra("submit", f"{folder}/job.yaml", "--watch")
            job = json.loads(hydra("describe", "j1", "-o", "json").stdout)["job"]
            state = job["status"]["state"]
            assert state.endswith("COMPLETED"), (state, submitted.stderr)
        finally:
            daemon.terminate()
            daemon.wait()
    ends = [
        datetime.datetime.fromisoformat(step["time"].rstrip("Z")[:26])
        for step in job["steps"]
    ]
    # Of the first steps, workers learn how much they may fetch ahead.
    gaps = [(b - a).total_seconds() for a, b in zip(ends, ends[1:])][2:]
    return statistics.median(gaps), job


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(ROOT / "bin"))
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--device", default="96MiB")
    parser.add_argument("--pool", default="2GiB")
    parser.add_argument("--shared-bus", action="store_true")
    args = parser.parse_args()

    bare, job = run(args, None, None)
    cuts = job["partition"]["cut_points"]
    totals = job["totals"]
    steps = len(job["steps"])
    print(f"cuts {cuts}, without a link {bare:.3f} s a step")
    print("totals:", totals)
    promoted = int(totals["promoted_bytes"]) / steps
    demoted = int(totals["demoted_bytes"]) / steps
    moved = promoted + demoted if args.shared_bus else max(promoted, demoted)
    print(f"a step moves {promoted / 1e6:.1f} MB in, {demoted / 1e6:.1f} MB out")
    for share in (0.5, 1, 2):
        link = moved / (bare * share) / 1e9
        took, job = run(args, link, cuts)
        bound = bare * max(1, share)
        print(
            f"{link:.3f} GB/s: {took:.3f} s a step, the larger one {bound:.3f} s"
            f" ({bound / took:.0%} of the bound), one after the other"
            f" {bare * (1 + share):.3f} s ({bare * (1 + share) / took:.2f} x)",
            flush=True,
        )


if __name__ == "__main__":
    main()

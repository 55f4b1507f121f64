#!/usr/bin/env python3
"""Tokens a second of equal GPT-2s: Hydra, spilled, beside PyTorch eager in memory.

    ~/torch/bin/python tests/benchmarks/spilled_vs_eager.py --bin bin [--shape 30m|124m]

Needs bin/ (deploy/build.sh), and a Python with torch and transformers: README,
"GPUs", makes one in ~/torch; add `pip install transformers numpy`.

Hydra trains some equal jobs on two CPU devices of one thread, each of which has
a share of one model's training state (16 bytes a parameter), without a link. In
turns with it, in rounds: two PyTorch processes of one thread, one process of
two threads (see eager_gpt2.py; which attention, and whether glibc's malloc
keeps freed memory, is tried first, and the fastest taken), and, where
--reference names tests/reference's program (bazel build
//tests/reference:reference_main), two processes of that, one thread each. All
train on the same text. Not counted are the first --warmup steps of each job or
process, and the last ones, when some have nothing to do any more.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import local_server

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = 50257
SHAPES = {
    "30m": dict(width=384, layers=6, heads=6, positions=128, batch=8, context=128),
    "124m": dict(
        width=768, layers=12, heads=12, positions=1024, batch=2, context=256
    ),
}
# Without these, PyTorch gives large tensors back to the kernel after each use,
# and pays for their pages again.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(1 << 30),
}
# Attention, and what is added to the environment.
WAYS = {
    "sdpa": ("sdpa", {}),
    "eager": ("eager", {}),
    "sdpa, malloc keeps memory": ("sdpa", KEEP_MEMORY),
    "eager, malloc keeps memory": ("eager", KEEP_MEMORY),
}
LEARNING_RATE = 1e-4
WEIGHT_DECAY = 0.01


def parameter_count(args):
    """Of a GPT-2 whose head is its embedding."""
    block = 12 * args.width**2 + 13 * args.width
    rows = VOCABULARY + args.positions
    return rows * args.width + args.layers * block + 2 * args.width


def write_model(folder, args):
    config = json.loads((local_server.EXAMPLE / "gpt2/config.json").read_text())
    config.update(
        n_embd=args.width,
        n_layer=args.layers,
        n_head=args.heads,
        n_positions=args.positions,
        n_ctx=args.positions,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text(json.dumps(config))


def write_tokens(path):
    """The example's training text as int32 ids, for all that train."""
    try:
        import numpy
        import torch  # noqa: F401, so that its lack is told before all else.
        from transformers import GPT2Tokenizer
    except ImportError as error:
        sys.exit(
            f"{error}: run this with a Python that has torch, transformers and"
            " numpy. README, \"GPUs\", makes one in ~/torch; add"
            " `~/torch/bin/pip install transformers numpy`"
        )
    tokenizer = GPT2Tokenizer.from_pretrained(local_server.EXAMPLE / "gpt2")
    text = (local_server.EXAMPLE / "data/wiki.valid.tokens").read_text("utf-8")
    numpy.array(tokenizer(text)["input_ids"], dtype=numpy.int32).tofile(path)


class Measured:
    """Tokens a second, and the losses of the first and the last step."""

    def __init__(self, streams, args):
        """`streams`: of each job or process, the ends of its steps and losses."""
        ends = sorted(at for stream in streams for at in stream[0])
        # At the last ends others have nothing to do any more.
        counted = ends[len(streams) * args.warmup - 1 : 1 - len(streams) or None]
        tokens = (len(counted) - 1) * args.batch * args.context
        self.rate = tokens / (counted[-1] - counted[0])
        self.first = statistics.mean(stream[1][0] for stream in streams)
        self.last = statistics.mean(stream[1][-1] for stream in streams)


def hydra(args, folder, share):
    """Measured, and words on how the models were cut."""
    state = 16 * parameter_count(args)
    limit = int(state * share) // 4096 * 4096
    devices = [
        {"name": f"cpu:{i}", "memory_limit_bytes": limit, "threads": 1}
        for i in range(2)
    ]
    job = {
        "name": "spilled",
        "model": {"path": str(folder / "model"), "init": "random"},
        "data": {
            "train_files": [str(folder / "tokens")],
            "format": "tokens_u32",
        },
        "train": {
            "max_steps": args.steps,
            "per_device_train_batch_size": args.batch,
            "context_length": args.context,
            "optim": "adamw",
            "learning_rate": LEARNING_RATE,
            "weight_decay": WEIGHT_DECAY,
        },
        "output": {"save_model": False},
        "checkpoint": {"every_minutes": 0},
        "sweep": {"grid": {"train.seed": list(range(args.jobs))}},
    }
    with local_server.LocalServer(args.bin, devices, args.pool) as server:
        jobs = server.run(job)
    streams = [
        (
            [local_server.seconds(step["time"]) for step in job["steps"]],
            [step["train_loss"] for step in job["steps"]],
        )
        for job in jobs
    ]
    shards = {job["status"]["shard_count"] for job in jobs}
    cuts = jobs[0]["partition"].get("cut_points", [])
    demand = int(jobs[0]["pool_demand"]["total_bytes"])
    words = (
        f"{limit / 2**20:.0f} MiB a device, {max(shards)} shards (cut before"
        f" {cuts}), a job takes {demand / 1e6:.0f} MB of the pool"
    )
    return Measured(streams, args), words


def eager(args, folder, processes, threads, way, steps):
    """What each of the processes printed, begun together."""
    attention, environment = WAYS[way]
    command = [
        *(sys.executable, f"{HERE}/eager_gpt2.py"),
        *(str(folder / "model/config.json"), str(folder / "tokens")),
        f"--batch={args.batch}",
        f"--context={args.context}",
        f"--steps={steps}",
        f"--threads={threads}",
        f"--attention={attention}",
        f"--learning-rate={LEARNING_RATE}",
        f"--weight-decay={WEIGHT_DECAY}",
    ]
    running = []
    try:
        for seed in range(processes):
            running.append(
                subprocess.Popen(
                    [*command, f"--seed={seed}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env={**os.environ, **environment},
                    text=True,
                )
            )
        for process in running:
            if process.stdout.readline() != "ready\n":
                sys.exit("eager_gpt2.py did not begin, see above")
        for process in running:
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.communicate()[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return [json.loads(answer) for answer in answers]


def measured_eager(args, folder, processes, threads, way):
    answers = eager(args, folder, processes, threads, way, args.steps)
    return Measured([(one["ends"], one["losses"]) for one in answers], args)


def fastest_way(args, folder):
    """Of one process of one thread, by the fastest of a few steps."""
    took = {way: [] for way in WAYS}
    for _ in range(2):
        for way in WAYS:
            ends = eager(args, folder, 1, 1, way, 4)[0]["ends"]
            took[way] += [b - a for a, b in zip(ends, ends[1:])]
    for way in WAYS:
        print(f"PyTorch, {way}: a step takes {min(took[way]):.3f} s", flush=True)
    return min(took, key=lambda way: min(took[way]))


def reference(args, folder):
    """The model in one piece by Hydra's own layers, in two processes."""
    train = {
        "max_steps": args.steps,
        "per_device_train_batch_size": args.batch,
        "context_length": args.context,
        "optim": "OPTIMIZER_ADAMW",
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
    }
    running = []
    try:
        for seed in range(2):
            running.append(
                subprocess.Popen(
                    [
                        args.reference,
                        f"--model={folder}/model",
                        "--random",
                        f"--tokens={folder}/tokens",
                        f"--train={json.dumps({**train, 'seed': seed})}",
                    ],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        answers = [process.communicate()[0] for process in running]
        if any(process.returncode for process in running):
            sys.exit(f"{args.reference} failed, see above")
    finally:
        for process in running:
            process.kill()
            process.wait()
    streams = []
    for answer in map(json.loads, answers):
        # It says how long steps took; both processes began at the same time.
        ends, at = [], 0.0
        for took in answer["step_seconds"]:
            at += took
            ends.append(at)
        streams.append((ends, answer["losses"]))
    return Measured(streams, args)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--shape", choices=SHAPES, default="30m")
    for name in SHAPES["30m"]:
        parser.add_argument(f"--{name}", type=int, help="in place of the shape's")
    parser.add_argument(
        "--share",
        type=float,
        nargs="+",
        default=[2 / 3, 1 / 3],
        help="of one model's training state that a device has",
    )
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pool", help="the pool's size; enough for all jobs")
    parser.add_argument("--reference", help="tests/reference's program")
    args = parser.parse_args()
    for name, value in SHAPES[args.shape].items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if not 1 <= args.warmup < args.steps - 1:
        parser.error("--warmup: from 1 to two less than --steps")
    if not args.pool:
        # What docs/daemon.md says, with writes as large as all of a state, and
        # two of them looked ahead; boundaries are small. A tenth stays free.
        state = 12 * parameter_count(args)
        table = 4 * VOCABULARY * args.width
        promised = args.jobs * (2 * state + table) + 2 * state
        args.pool = f"{int(promised / 0.9 / 2**20) + 64}MiB"
    local_server.check_programs(args.bin)
    if args.reference and not pathlib.Path(args.reference).exists():
        parser.error(f"--reference: {args.reference} is missing")
    return args


def print_table(rates, losses, best):
    """`rates` by row, one of each round; `best` of PyTorch in each round."""
    rounds = len(best)
    numbers = " | ".join(f"round {i + 1}" for i in range(rounds))
    print(f"\n| tokens a second | {numbers} | median | of the best PyTorch | loss |")
    print("| --- |" + " --- |" * (rounds + 3))
    for row, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(values, best))
        cells = " | ".join(f"{value:,.0f}" for value in values)
        print(
            f"| {row} | {cells} | {statistics.median(values):,.0f} |"
            f" {ratio:.2f} | {losses[row][0]:.2f} to {losses[row][1]:.2f} |"
        )


def main():
    args = parse_arguments()
    local_server.leave_nothing_behind()
    with tempfile.TemporaryDirectory(prefix="hydra-") as name:
        folder = pathlib.Path(name)
        write_tokens(folder / "tokens")
        write_model(folder, args)
        print(
            f"{parameter_count(args):,} parameters, batch {args.batch}, context"
            f" {args.context}; {args.jobs} jobs of {args.steps} steps",
            flush=True,
        )
        way = fastest_way(args, folder)
        print(f"PyTorch trains with {way}", flush=True)
        rates, losses, best, told = {}, {}, [], set()

        def note(row, measured):
            rates.setdefault(row, []).append(measured.rate)
            losses[row] = (measured.first, measured.last)
            return measured.rate

        for _ in range(args.rounds):
            for share in args.share:
                measured, words = hydra(args, folder, share)
                row = f"Hydra, device limit {share:.2f} of the training state"
                note(row, measured)
                if words not in told:
                    print(f"{row}: {words}", flush=True)
                    told.add(words)
            best.append(
                max(
                    note(
                        f"PyTorch, {processes}",
                        measured_eager(args, folder, *sizes, way),
                    )
                    for processes, sizes in (
                        ("two processes of one thread", (2, 1)),
                        ("one process of two threads", (1, 2)),
                    )
                )
            )
            if args.reference:
                note("plain LibTorch, two processes", reference(args, folder))
        if not args.reference:
            print("plain LibTorch is left out: --reference names no program")
        print_table(rates, losses, best)


if __name__ == "__main__":
    main()

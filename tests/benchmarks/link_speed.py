#!/usr/bin/env python3
"""Steps of some equal jobs on one CPU device behind modelled links.

    link_speed.py --bin bin [--jobs 3 --width 256 --layers 12 --device 128MiB]

First without a link, which tells what a step computes; then behind one that is
as fast as memory, which tells what it moves; then at links on which
the bytes of a step take half of that, as long, and twice as long. Prints, for
each, the time of a step while all jobs train, the larger one of computing and
copying (each lane by itself), and the sum of computing and both lanes, which is
what a step would take one after the other.
"""

import argparse
import json

import local_server


def job_file(folder, args, cuts):
    example = local_server.EXAMPLE
    config = json.loads((example / "gpt2/config.json").read_text())
    config.update(n_embd=args.width, n_layer=args.layers, n_head=args.heads)
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text(json.dumps(config))
    partition = {}
    if cuts:
        partition = {"cut_points": cuts}
    elif args.shards:
        partition = {"shards": args.shards}
    return {
        "name": "link",
        "model": {
            "path": str(folder / "model"),
            "init": "random",
            "tokenizer_path": str(example / "gpt2"),
        },
        "data": {"train_files": [str(example / "data/wiki.valid.tokens")]},
        "train": {
            "max_steps": args.steps,
            "per_device_train_batch_size": args.batch,
            "context_length": args.context,
            "learning_rate": 1e-4,
            # Further keys, where a caller has some.
            **args.train,
        },
        "output": {"save_model": False},
        "partition": partition,
        "sweep": {"grid": {"train.seed": list(range(args.jobs))}},
        # Further sections, likewise.
        **args.sections,
    }


def run(args, link, cuts):
    """Seconds of a step, and what the job's tasks took, a step."""
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
    settings = {"lookahead": args.lookahead, "prefetch_bytes": args.prefetch}
    with local_server.LocalServer(
        args.bin, [device], args.pool, settings
    ) as server:
        jobs = server.run(job_file(server.folder, args, cuts))
    ends = [
        [local_server.seconds(step["time"]) for step in job["steps"]]
        for job in jobs
    ]
    # In the first steps workers learn how much they may fetch ahead.
    begin = max(job[2] for job in ends)
    end = min(job[-1] for job in ends)
    steps = sum(begin < step <= end for job in ends for step in job)
    return (end - begin) / steps, jobs


def add_arguments(parser):
    parser.set_defaults(train={}, sections={})
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--device", default="96MiB")
    parser.add_argument("--pool", default="2GiB")
    parser.add_argument("--lookahead", type=int, default=1)
    parser.add_argument("--prefetch", default="0")
    parser.add_argument("--shared-bus", action="store_true")
    parser.add_argument(
        "--shards",
        choices=["fastest", "longest"],
        help="let a pilot cut the model for each link; else all have the"
        " cuts of the first run",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()

    bare, jobs = run(args, None, None)
    cuts = jobs[0]["partition"]["cut_points"]
    steps = sum(len(job["steps"]) for job in jobs)

    def each_step(what, jobs):
        return sum(int(job["totals"][what]) for job in jobs) / steps

    fast, jobs = run(args, 1000, cuts)
    print(
        f"cuts {cuts}, without a link {bare:.3f} s a step; behind one that is"
        f" as fast as memory {fast:.3f} s"
    )
    promoted = each_step("promoted_bytes", jobs)
    demoted = each_step("demoted_bytes", jobs)
    moved = promoted + demoted if args.shared_bus else max(promoted, demoted)
    print(f"a step moves {promoted / 1e6:.1f} MB in, {demoted / 1e6:.1f} MB out")
    for share in (0.5, 1, 2):
        link = moved / (bare * share) / 1e9
        took, jobs = run(args, link, None if args.shards else cuts)
        bound = bare * max(1, share)
        one_by_one = bare + (promoted + demoted) / link / 1e9
        print(
            f"{link:.3f} GB/s: {took:.3f} s a step; the larger one {bound:.3f} s"
            f" ({bound / took:.0%} of the bound); one after the other"
            f" {one_by_one:.3f} s ({one_by_one / took:.2f} x);"
            f" {each_step('promoted_bytes', jobs) / 1e6:.1f} MB in;"
            f" cuts {jobs[0]['partition'].get('cut_points', [])}, a step"
            f" predicted as {jobs[0]['partition'].get('step', 'unknown')}",
            flush=True,
        )


if __name__ == "__main__":
    main()

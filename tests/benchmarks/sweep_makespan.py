#!/usr/bin/env python3
"""Makespan of a sweep of models larger than a device: Hydra, and simpler ways.

    sweep_makespan.py --bin bin [--link 0.5] [--ways hydra one-by-one ...]
    sweep_makespan.py --bin bin --compare OTHER_BIN [--link 0.5] [--update-on device host]

The quick start's twelve configurations (two batch sizes, six learning rates) on
two CPU devices of one thread, behind a modelled link if --link says how many
GB/s it copies each way. The ways:

  hydra        Hydra as it is, all jobs submitted at once.
  one-by-one   one job after another on one device, in the longest shards, with
               neither lookahead nor room for prefetching. Writing still goes
               beside the next task, so that it is less naive than it could be.
  two-by-two   the same on both devices: two servers, each with one device and
               every second job, one after another.
  in-memory    each job whole on a device of --whole bytes, without a link; a
               device keeps a job until it ends (policy fifo).

Further rows are arithmetic from these, and say so. A makespan is from the
first submission to the last job's end (of one job after another the sum of
each one's, without what this script needs between two). Pilots and the reading
of the text are done before, in jobs of one step, and told apart. With
--compare, the first way with the programs of both folders, in turns, all of them
cut as pilots of the first cut them; so their pilots count for nothing.
"""

import argparse
import concurrent.futures
import contextlib
import pathlib
import statistics
import sys

import local_server

BATCHES = [16, 8]
# As examples/gpt2_wikitext2/sweep.yaml.
LEARNING_RATES = [1.5e-3, 5e-4, 2.5e-4, 3e-4, 5e-5, 1e-4]
LONGEST = {"shards": "longest"}


def job_file(args, update_on, partition, batches, rates, **train):
    example = local_server.EXAMPLE
    return {
        "name": "makespan",
        "model": {
            "path": args.model,
            "init": "random",
            "tokenizer_path": str(example / "gpt2"),
        },
        "data": {"train_files": [str(example / "data/wiki.valid.tokens")]},
        "train": {
            "context_length": 128,
            "optim": "adamw",
            "weight_decay": 0.01,
            "update_on": update_on,
            # The grid has others for each job.
            "per_device_train_batch_size": batches[0],
            "learning_rate": rates[0],
            **(train or {"num_train_epochs": args.epochs}),
        },
        "output": {"save_model": False},
        "partition": partition,
        "checkpoint": {"every_minutes": 0},
        "sweep": {
            "grid": {
                "train.per_device_train_batch_size": batches,
                "train.learning_rate": rates,
            }
        },
    }


def server(args, programs, numbers, limit, link, **settings):
    devices = []
    for number in numbers:
        device = {
            "name": f"cpu:{number}",
            "memory_limit_bytes": limit,
            "threads": 1,
        }
        if link:
            device["link"] = {"to_device_gb_per_second": link}
        devices.append(device)
    return local_server.LocalServer(programs, devices, args.pool, settings)


class Outcome:
    """What came out of one way: seconds, and sums over all jobs.

    `trained` is the makespan without `prepared`, which is how long pilots and
    the reading of the text took. Bytes and `compute`, the devices' time in tasks
    but for what they waited for copies, are those of the sweep's jobs alone.
    """

    def __init__(self, prepared, trained, jobs):
        self.prepared = prepared
        self.trained = trained
        self.losses = {
            tuple(one["status"]["parameters"]): one["status"]["train_loss"]
            for one in jobs
        }
        self.shards = sorted({one["status"]["shard_count"] for one in jobs})

        def total(what):
            return sum(int(one["totals"][what]) for one in jobs)

        self.promoted = total("promoted_bytes")
        self.demoted = total("demoted_bytes")
        self.cached = total("cached_bytes")
        # Wall time, as makespans are: what others take of the machine is in both.
        self.compute = sum(
            local_server.duration(one["totals"].get("device"))
            - local_server.duration(one["totals"].get("copy"))
            for one in jobs
        )


def lasted(jobs):
    """From the first submission to the last end."""
    status = [one["status"] for one in jobs]
    return max(local_server.seconds(one["ended_at"]) for one in status) - min(
        local_server.seconds(one["submitted_at"]) for one in status
    )


def prepare(running, args, update_on, partition, batches):
    """Reads the text and runs pilots; what they find stays with the server.

    Returns the seconds in which that went on, and each batch size's cut points.
    """
    jobs = running.run(
        job_file(
            args, update_on, partition, batches, LEARNING_RATES[:1], max_steps=1
        )
    )
    sweep = jobs[0]["status"]["sweep_id"]
    took, until = 0.0, 0.0
    for begin, end in sorted(running.tasks(sweep, "PREPARE", "PILOT")):
        took += max(0.0, end - max(begin, until))
        until = max(until, end)
    return took, [one["partition"]["cut_points"] for one in jobs]


def hydra(args, programs, update_on, cuts=None):
    """All jobs at once; with `cuts`, those of each batch size, no pilots' ones."""
    with server(
        args,
        programs,
        [0, 1],
        args.device,
        args.link,
        lookahead=args.lookahead,
        prefetch_bytes=args.prefetch,
    ) as running:
        parts = [({}, BATCHES)]
        if cuts:
            parts = [
                ({"cut_points": cut}, [batch])
                for cut, batch in zip(cuts, BATCHES)
            ]
        prepared, _ = prepare(running, args, update_on, *parts[0])
        jobs = running.run(
            *(
                job_file(args, update_on, partition, batches, LEARNING_RATES)
                for partition, batches in parts
            )
        )
    return Outcome(prepared, lasted(jobs), jobs)


def one_after_another(running, args, update_on, configurations):
    """(seconds of preparation, of training, jobs) of one server."""
    prepared, _ = prepare(running, args, update_on, LONGEST, BATCHES)
    trained, jobs = 0.0, []
    for batch, rate in configurations:
        ended = running.run(job_file(args, update_on, LONGEST, [batch], [rate]))
        trained += lasted(ended)
        jobs += ended
    return prepared, trained, jobs


def side_by_side(args, programs, update_on, count):
    every = [(batch, rate) for batch in BATCHES for rate in LEARNING_RATES]
    # Servers end first, so that no thread goes on waiting for one.
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        with contextlib.ExitStack() as stack:
            parts = [
                threads.submit(
                    one_after_another,
                    stack.enter_context(
                        server(
                            args,
                            programs,
                            [number],
                            args.device,
                            args.link,
                            lookahead=0,
                            prefetch_bytes=0,
                        )
                    ),
                    args,
                    update_on,
                    every[number::count],
                )
                for number in range(count)
            ]
            prepared, trained, jobs = zip(*(part.result() for part in parts))
    return Outcome(max(prepared), max(trained), sum(jobs, []))


def in_memory(args, programs, update_on):
    with server(
        args, programs, [0, 1], args.whole, None, policy="fifo"
    ) as running:
        prepared, _ = prepare(running, args, update_on, LONGEST, BATCHES)
        jobs = running.run(
            job_file(args, update_on, LONGEST, BATCHES, LEARNING_RATES)
        )
    return Outcome(prepared, lasted(jobs), jobs)


WAYS = {
    "hydra": hydra,
    "one-by-one": lambda *words: side_by_side(*words, count=1),
    "two-by-two": lambda *words: side_by_side(*words, count=2),
    "in-memory": in_memory,
}


def attempt(way, *words):
    """An outcome, or None where the machine's memory does not allow it."""
    try:
        return WAYS[way](*words)
    except RuntimeError as error:
        if way != "in-memory":
            raise
        print(f"in-memory is left out: {error}", flush=True)
        return None


def median(outcomes, what):
    return statistics.median(what(outcome) for outcome in outcomes)


def print_table(rows):
    """`rows`: outcomes of each name; ratios are to the first one."""
    first = next(iter(rows))
    bases = [one.trained for one in rows[first]], [
        one.trained + one.prepared for one in rows[first]
    ]
    print(
        f"\n| | makespan, s | of {first} | pilots and text before, s | with them,"
        f" of {first} | shards | GB in | there already | GB out |"
        " computing, s |\n|" + " --- |" * 10
    )
    for name, outcomes in rows.items():
        ratios = [
            statistics.median(a / b for a, b in zip(values, base))
            for values, base in zip(
                (
                    [one.trained for one in outcomes],
                    [one.trained + one.prepared for one in outcomes],
                ),
                bases,
            )
        ]
        spread = ", ".join(f"{one.trained:.1f}" for one in outcomes)
        print(
            f"| {name} | {spread} | {ratios[0]:.2f} |"
            f" {median(outcomes, lambda one: one.prepared):.1f} |"
            f" {ratios[1]:.2f} | {outcomes[0].shards} |"
            f" {median(outcomes, lambda one: one.promoted) / 1e9:.2f} |"
            f" {median(outcomes, lambda one: one.cached) / 1e9:.2f} |"
            f" {median(outcomes, lambda one: one.demoted) / 1e9:.2f} |"
            f" {median(outcomes, lambda one: one.compute):.1f} |"
        )
    print()


def print_arithmetic(args, rows):
    base = median(rows["hydra"], lambda one: one.trained)

    def line(name, value):
        print(
            f"- {name}, by arithmetic: at least {value:.1f} s,"
            f" {value / base:.2f} of hydra"
        )

    # Two devices that compute at once get in each other's way; a bound is the
    # least that was seen.
    computing = {
        way: median(outcomes, lambda one: one.compute)
        for way, outcomes in rows.items()
    }
    least = min(computing, key=computing.get)
    line(
        "two stages of one model at a time on both devices, of which without"
        f" micro-batches one computes at a time (computing of {least})",
        computing[least],
    )
    if args.link and "one-by-one" in rows:
        line(
            "one job after another on one device, computing and copies in either"
            " direction one after another (of one-by-one)",
            median(
                rows["one-by-one"],
                lambda one: one.compute
                + (one.promoted + one.demoted) / args.link / 1e9,
            ),
        )


def print_equality(rows):
    every = [one.losses for outcomes in rows.values() for one in outcomes]
    different = sum(losses != every[0] for losses in every)
    print(
        f"the last losses of all {len(every[0])} configurations are"
        + (" equal everywhere" if not different else
           f" others than in the first row in {different} of {len(every)} runs"),
        flush=True,
    )


def rounds_of(args, runs):
    """Outcomes of each of `runs` (name, function), in turns."""
    rows = {name: [] for name, _ in runs}
    for number in range(args.rounds):
        # Every second round backwards, so that none is always the first.
        for name, run in runs if number % 2 == 0 else runs[::-1]:
            if rows[name] is None:
                continue
            outcome = run()
            if outcome is None:
                rows[name] = None
                continue
            rows[name].append(outcome)
            print(
                f"{name}: {outcome.trained:.1f} s, and {outcome.prepared:.1f} s"
                " of pilots before",
                file=sys.stderr,
                flush=True,
            )
    return {name: outcomes for name, outcomes in rows.items() if outcomes}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--compare", help="another folder with programs")
    parser.add_argument(
        "--model",
        default=str(local_server.EXAMPLE / "gpt2-mini"),
        help="folder of a config.json",
    )
    parser.add_argument("--epochs", type=float, default=0.085)
    parser.add_argument("--device", default="80MiB", help="a device's limit")
    parser.add_argument(
        "--whole", default="1GiB", help="a device's limit for in-memory"
    )
    parser.add_argument("--pool", default="5GiB")
    parser.add_argument(
        "--link", type=float, help="GB/s each way; none if it is not given"
    )
    parser.add_argument("--lookahead", type=int, default=1, help="hydra's")
    parser.add_argument("--prefetch", default="0", help="hydra's prefetch_bytes")
    parser.add_argument(
        "--update-on",
        nargs="+",
        choices=["auto", "host", "device"],
        default=["auto"],
        help="a table for each; it makes a difference behind a link alone",
    )
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY"
    )
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    args.model = str(pathlib.Path(args.model).resolve())
    if "hydra" not in args.ways:
        parser.error("--ways: hydra must be among them, others are measured by it")
    for folder in filter(None, (args.bin, args.compare)):
        local_server.check_programs(folder)
    return args


def compare(args, update_on):
    """Rows of both folders' programs, which cut as the first one's pilots do."""
    with server(
        args, args.bin, [0, 1], args.device, args.link
    ) as running:
        _, cuts = prepare(running, args, update_on, {}, BATCHES)
    print(f"cut before {dict(zip(BATCHES, cuts))}, by batch size", flush=True)
    return rounds_of(
        args,
        [
            (
                f"hydra of {programs}",
                lambda programs=programs: hydra(args, programs, update_on, cuts),
            )
            for programs in (args.bin, args.compare)
        ],
    )


def measure(args, update_on):
    return rounds_of(
        args,
        [
            (way, lambda way=way: attempt(way, args, args.bin, update_on))
            for way in WAYS
            if way in args.ways
        ],
    )


def main():
    args = parse_arguments()
    local_server.leave_nothing_behind()
    for update_on in args.update_on:
        link = f"behind {args.link} GB/s each way" if args.link else "no link"
        print(
            f"{len(BATCHES) * len(LEARNING_RATES)} jobs of {args.epochs} epochs,"
            f" devices of {args.device}, {link}, updates on: {update_on}",
            flush=True,
        )
        try:
            rows = (compare if args.compare else measure)(args, update_on)
        except RuntimeError as error:
            sys.exit(str(error))
        print_table(rows)
        if not args.compare:
            print_arithmetic(args, rows)
        print_equality(rows)


if __name__ == "__main__":
    main()

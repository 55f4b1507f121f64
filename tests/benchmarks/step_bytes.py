#!/usr/bin/env python3
"""What a step moves between host and device, beside what is predicted of it.

    step_bytes.py --bin bin [--jobs 3 --device 224MiB]

Some equal jobs on one CPU device behind a modelled link that is as fast as
memory, for SGD and AdamW, for AdamW with updates on the host and on the device,
and for adapters. Prints a step's counted and predicted bytes by kind, as hydra describe
has them, summed over the jobs.
"""

import argparse

import link_speed
import local_server

KINDS = [
    "parameters",
    "optimizer_state",
    "activations",
    "activation_gradients",
    "parameter_gradients",
]
ADAPTERS = {"lora": {"r": 8, "target_modules": ["all-linear"]}}
CASES = [
    ("SGD, on the device", {"optim": "sgd"}, {}),
    ("AdamW, on the host", {"optim": "adamw", "update_on": "host"}, {}),
    ("AdamW, on the device", {"optim": "adamw", "update_on": "device"}, {}),
    ("AdamW, adapters", {"optim": "adamw", "update_on": "host"}, ADAPTERS),
]


def sums(jobs, what, kind):
    """Bytes of a step, as a mean over the jobs' steps."""
    counted = sum(int(job["traffic"].get(what, {}).get(kind, 0)) for job in jobs)
    return counted / sum(int(job["traffic"]["steps"]) for job in jobs)


def predicted(jobs, what, kind):
    return int(jobs[0]["traffic"].get(f"predicted_{what}", {}).get(kind, 0))


def cell(counted, expected):
    if not expected:
        return f"{counted / 1e6:.2f}"
    return (
        f"{counted / 1e6:.2f} of {expected / 1e6:.2f}"
        f" ({counted / expected:.3f})"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    link_speed.add_arguments(parser)
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()
    for name, train, sections in CASES:
        args.train, args.sections = train, sections
        _, jobs = link_speed.run(args, 1000, None)
        print(f"{name}; cuts {jobs[0]['partition']['cut_points']}")
        print("| MB of a step | in | already there | out |\n| --- | --- | --- | --- |")
        totals = [0.0] * 5
        for kind in KINDS:
            values = [
                sums(jobs, "promoted", kind),
                predicted(jobs, "promoted", kind),
                sums(jobs, "cached", kind),
                sums(jobs, "demoted", kind),
                predicted(jobs, "demoted", kind),
            ]
            totals = [a + b for a, b in zip(totals, values)]
            row(kind.replace("_", " "), values)
        row("all", totals)


def row(name, values):
    promoted, expected_in, cached, demoted, expected_out = values
    print(
        f"| {name} | {cell(promoted, expected_in)} | {cached / 1e6:.2f} |"
        f" {cell(demoted, expected_out)} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

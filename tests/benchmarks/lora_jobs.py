#!/usr/bin/env python3
"""K LoRA jobs on one frozen base beside one of them, and beside none shared.

    lora_jobs.py --bin bin [--jobs 1 2 4 8] [--link 0.2]

Random models of Llama's kind, larger than the device, with equal adapters and
other learning rates, on one CPU device: behind a modelled link that is the
bound, then behind one that is as fast as memory. For each number of jobs: what
of the pool is used while all train, what a step of all of them moves, how many
steps an hour all make together, and how many times that is one job's. Last, the
same jobs each on a server of its own, two at once at most, which share nothing.
"""

import argparse
import concurrent.futures
import json
import time

import local_server
import random_llama


def job_file(folder, args, rates):
    model = random_llama.write_model(
        folder, **random_llama.dimensions(args.width, args.layers)
    )
    return random_llama.job_file(
        model,
        args,
        model={"frozen_dtype": args.frozen_dtype},
        lora={"r": args.rank, "target_modules": ["q_proj", "v_proj"]},
        train={
            "per_device_train_batch_size": args.batch,
            "learning_rate": rates[0],
        },
        partition={"cut_points": args.cuts},
        sweep={"grid": {"train.learning_rate": rates}},
    )


def device_of(args, link):
    return {
        "name": "cpu:0",
        "memory_limit_bytes": args.device,
        "threads": 1,
        "link": {"to_device_gb_per_second": link},
    }


def run(args, link, rates):
    """What the jobs did, and most of the pool that they used."""
    most = 0
    with local_server.LocalServer(
        args.bin, [device_of(args, link)], args.pool
    ) as server:
        path = server.folder / "job.yaml"
        path.write_text(json.dumps(job_file(server.folder, args, rates)))
        answer = server.answer("submit", str(path))
        jobs = [one["job_id"] for one in answer["jobs"]]
        while True:
            states = [one["state"] for one in server.answer("list")["jobs"]]
            if not {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"} & set(states):
                break
            used = server.answer("info").get("pool_used_bytes", 0)
            most = max(most, int(used))
            time.sleep(0.2)
        described = [server.describe(job) for job in jobs]
    for one in described:
        local_server.check_completed(one)
    return described, most


def rate(jobs):
    """Steps of all jobs in a second, from when each has made one on."""
    ends = [
        [local_server.seconds(step["time"]) for step in job["steps"]]
        for job in jobs
    ]
    begin = max(job[0] for job in ends)
    end = min(job[-1] for job in ends)
    if end <= begin:
        begin, end = min(job[0] for job in ends), max(job[-1] for job in ends)
    return sum(begin < at <= end for job in ends for at in job) / (end - begin)


def moved(jobs, what):
    """Bytes of a step of all jobs together."""
    return sum(
        int(job["traffic"].get(what, {}).get(kind, 0))
        / int(job["traffic"]["steps"])
        for job in jobs
        for kind in job["traffic"].get(what, {})
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(local_server.ROOT / "bin"))
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--link", type=float, nargs="+", default=[0.2, 1000])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--cuts", type=int, nargs="+", default=[4, 7, 10, 13])
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--frozen-dtype", default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--device", default="160MiB")
    parser.add_argument("--pool", default="2GiB")
    args = parser.parse_args()
    local_server.check_programs(args.bin)
    local_server.leave_nothing_behind()
    for link in args.link:
        print(f"behind {link} GB/s each way")
        print(
            "| jobs | pool in use, MB | a step of all moves, MB in, out |"
            " steps a minute | times one job's |\n| --- | --- | --- | --- | --- |"
        )
        alone = None
        for count in args.jobs:
            jobs, used = run(args, link, random_llama.rates_of(count))
            alone = alone or rate(jobs)
            print(
                f"| {count} | {used / 1e6:.0f} |"
                f" {moved(jobs, 'promoted') / 1e6:.1f},"
                f" {moved(jobs, 'demoted') / 1e6:.1f} |"
                f" {60 * rate(jobs):.1f} | {rate(jobs) / alone:.2f} |",
                flush=True,
            )
        count = max(args.jobs)
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            runs = list(
                pool.map(lambda one: run(args, link, [one]), random_llama.rates_of(count))
            )
        took = time.monotonic() - begin
        print(
            f"{count} jobs, each on a server of its own, two at once:"
            f" {took:.1f} s in all; the pools"
            f" {sum(used for _, used in runs) / 1e6:.0f} MB together",
            flush=True,
        )


if __name__ == "__main__":
    main()

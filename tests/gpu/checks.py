#!/usr/bin/env python3
"""What a machine with a GPU has to show, a row for each. Started by run.sh.

    checks.py --bin DIR [--contract PROGRAM] [--device cuda:0] [--only ROW,...]

With --device cpu:0 all rows but the contract of devices run on a CPU device,
behind a modelled link where copies matter: to try this script. Each row prints
its numbers; the last line is "N passed, N failed, N skipped".
"""

import argparse
import ctypes
import hashlib
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "benchmarks")]

import local_server
import small_models

MIB = 1 << 20
# Of all rows together.
MOST_SECONDS = 8 * 60
# What cuBLAS takes of a GPU's limit for itself (device/cuda/cuda_torch.cc), and a
# little more.
LIBRARIES_MIB = 40
# Links of a CPU device in GB/s: such that copies matter, and that they do not.
TRIAL_LINK = 0.5
FAST_LINK = 1000


class Failure(Exception):
    """What a row found wrong, for people."""


class Skip(Exception):
    """Why a row cannot run here."""


class Checks:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.on_gpu = args.device.startswith("cuda:")
        self.end = time.monotonic() + MOST_SECONDS
        self._python = None

    # Help for rows.

    def left(self):
        seconds = self.end - time.monotonic()
        if seconds < 15:
            raise Skip("no time is left")
        return seconds

    def server(self, devices, pool, settings=None):
        return local_server.LocalServer(self.args.bin, devices, pool, settings, self.end)

    def device(self, mib, link=None):
        """--device with so much memory for the model."""
        if self.on_gpu:
            mib += LIBRARIES_MIB
        text = f"{self.args.device}={mib}MiB"
        if link is not None and not self.on_gpu:
            text += f",link={link}"
        return text

    def model(self, name, **shape):
        config = small_models.gpt2_config(**shape)
        return small_models.write_model(self.folder / name, config), config

    def tokens(self, count, vocabulary):
        file = self.folder / f"tokens-{vocabulary}-{count}.u16"
        return small_models.write_tokens(file, count, vocabulary)

    def python(self):
        """A Python with the PyTorch that LIBTORCH_ROOT names, or any."""
        if self._python is None:
            self._python = find_python_with_torch()
        if self._python is False:
            raise Skip("no python3 here has PyTorch; LIBTORCH_ROOT of an installed one names it")
        return self._python

    def plain(self, *words):
        program, environment = self.python()
        command = [program, str(HERE / "plain_gpt2.py"), *map(str, words)]
        answer = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=self.left()
        )
        if answer.returncode != 0:
            raise Failure(f"plain_gpt2.py {words[0]}: {answer.stderr[-2000:]}")
        return json.loads(answer.stdout) if answer.stdout else None

    # The rows.

    def contract(self):
        """The device's contract, each case in a process of its own."""
        if not self.on_gpu:
            raise Skip("the contract of CPU devices is one of the unit tests")
        if not self.args.contract or not os.path.exists(self.args.contract):
            raise Skip("there is no gpu_device_test: built where the CUDA toolkit is")
        environment = dict(os.environ)
        environment.setdefault("CUDA_VISIBLE_DEVICES", self.args.device.split(":")[1])
        listed = subprocess.run(
            [self.args.contract, "--gtest_list_tests"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=self.left(),
        )
        names, suite = [], ""
        for line in listed.stdout.splitlines():
            if line.startswith("Running main"):
                continue
            if not line.startswith(" "):
                suite = line.split("#")[0].strip()
            else:
                names.append(suite + line.split("#")[0].strip())
        failed = []
        for name in names:
            run = subprocess.run(
                [self.args.contract, f"--gtest_filter={name}"],
                capture_output=True,
                text=True,
                env=environment,
                timeout=self.left(),
            )
            if run.returncode != 0 or "SKIPPED" in run.stdout:
                failed.append(f"{name}:\n{(run.stdout + run.stderr)[-1500:]}")
        print(f"  {len(names) - len(failed)} of {len(names)} cases hold")
        if failed or not names:
            raise Failure("\n".join(failed) or "gpu_device_test lists no cases: " + listed.stderr)

    def small_job(self, **more):
        model, config = self.model(
            "small", layers=4, width=128, heads=4, vocabulary=1000, context=64
        )
        train = {
            "max_steps": 8,
            "per_device_train_batch_size": 4,
            "context_length": 64,
            "learning_rate": 1e-3,
        }
        return small_models.job(
            model, self.tokens(20000, config["vocab_size"]), train=train, **more
        )

    def parity(self):
        """A small GPT-2 here and on a CPU device, from the same parameters."""
        # Of fp32 in another order of sums; what training makes of it grows.
        first_tolerance, tolerance = 1e-5, 1e-3
        found = []
        for devices in (self.device(64), "cpu:0=64MiB"):
            with self.server(devices, "1GiB") as server:
                (detail,) = server.run(self.small_job(cuts=[2, 4]))
                found.append(losses(detail))
        worst = 0.0
        print(f"  {'step':>4} {self.args.device:>12} {'cpu:0':>12} {'difference':>11}")
        for step, (here, there) in enumerate(zip(*found)):
            difference = abs(here - there) / abs(there)
            worst = max(worst, difference)
            print(f"  {step:>4} {here:>12.7f} {there:>12.7f} {difference:>11.2e}")
            if step == 0 and difference > first_tolerance:
                raise Failure(f"the first loss differs by more than {first_tolerance:.0e}")
        if worst > tolerance:
            raise Failure(f"a loss differs by {worst:.2e}, more than {tolerance:.0e}")
        if not found[0][-1] < found[0][0]:
            raise Failure("the loss does not fall")
        print(f"  within {worst:.2e} of {tolerance:.0e} allowed")

    def bits(self):
        """The same job again, and with other cuts: not one bit differs."""
        cuts = [[], [], [2], [1, 2, 3, 4, 5]]
        with self.server(self.device(64), "2GiB") as server:
            jobs = [self.small_job(cuts=cut, name=f"c{i}") for i, cut in enumerate(cuts)]
            details = server.run(*jobs)
            sums = [weights_sum(detail) for detail in details]
        for cut, sum_, detail in zip(cuts, sums, details):
            print(f"  cuts {str(cut):<16} loss {losses(detail)[-1]:.9f} weights {sum_[:16]}")
        if len(set(sums)) != 1 or any(losses(one) != losses(details[0]) for one in details):
            raise Failure("losses or weights differ")

    def limit(self):
        """Random models and tasks at once: the limit holds."""
        draw = random.Random(7)
        jobs = []
        for number in range(8):
            width = 64 * draw.randint(1, 4)
            model, config = self.model(
                f"random{number}",
                layers=draw.randint(1, 6),
                width=width,
                heads=width // 32,
                vocabulary=draw.choice([500, 5000, 20000]),
                context=64,
            )
            optimizer = draw.choice(["sgd", "adam", "adamw"])
            train = {
                "max_steps": 3,
                "per_device_train_batch_size": draw.randint(1, 8),
                "gradient_accumulation_steps": draw.randint(1, 3),
                "context_length": draw.choice([16, 32, 64]),
                "optim": optimizer,
                "max_grad_norm": draw.choice([0, 1]),
                "learning_rate": 1e-3,
            }
            tokens = self.tokens(20000, config["vocab_size"])
            jobs.append(
                small_models.job(
                    model, tokens, train=train, name=f"r{number}", shards="longest", save=False
                )
            )
        with self.server(self.device(64), "4GiB") as server:
            before = server.workers()[0]
            server.run(*jobs)
            worker = server.workers()[0]
        peak, limit = int(worker["peak_bytes"]), int(worker["memory_limit_bytes"])
        print(
            f"  {len(jobs)} jobs, {worker['finished_tasks']} tasks, at most"
            f" {peak / MIB:.1f} of {limit / MIB:.0f} MiB in use; restarts of the worker:"
            f" {worker.get('restarts', 0)}"
        )
        if "gpu" in worker:
            used = [int(one["gpu"].get("memory_used_bytes", 0)) for one in (before, worker)]
            print(
                f"  the card's memory, whoever uses it: {used[0] / MIB:.0f} MiB when the worker"
                f" had begun, {used[1] / MIB:.0f} MiB after all tasks"
            )
        if peak > limit:
            raise Failure("the limit did not hold")
        if int(worker.get("restarts", 0)) != 0:
            raise Failure("the worker died:\n" + worker.get("reason", ""))

    def rates(self):
        """Bytes a second that copies here can reach; None where not known."""
        if not self.on_gpu:
            return {"to_device": TRIAL_LINK * 1e9, "to_host": TRIAL_LINK * 1e9}
        try:
            return self.plain("rates", "--device", self.args.device)
        except (Skip, Failure, subprocess.TimeoutExpired):
            return None

    def overlap(self):
        """A spilled model's step: its bound, overlap off and on, its bytes."""
        layers, width = (8, 1024) if self.on_gpu else (8, 512)
        model, config = self.model(
            "spilled", layers=layers, width=width, heads=8, vocabulary=2000, context=128
        )
        parameters = small_models.parameter_count(config)
        train = {
            "max_steps": 12 if self.on_gpu else 8,
            "per_device_train_batch_size": 8 if self.on_gpu else 2,
            "context_length": 128,
            "learning_rate": 1e-4,
        }
        tokens = self.tokens(20000, config["vocab_size"])

        def run(mib, link, lookahead):
            # One job: nothing else hides its copies.
            settings = {"lookahead": lookahead}
            with self.server(self.device(mib, link), "4GiB", settings) as server:
                cuts = list(range(2, layers + 1, 2))
                (detail,) = server.run(
                    small_models.job(model, tokens, train=train, cuts=cuts, save=False)
                )
                events = server.trace(detail["status"]["job_id"])
            # In the first steps a worker learns how much it may fetch ahead.
            return statistics.median(step_seconds(detail)[3:]), detail, copy_times(events)

        all_of_it = max(512, int(parameters * 4 * 8 / MIB))
        part = max(96, int(parameters * 4 * 0.75 / MIB))
        bare, _, _ = run(all_of_it, FAST_LINK, 1)
        off, _, waited_off = run(part, TRIAL_LINK, 0)
        on, detail, waited_on = run(part, TRIAL_LINK, 1)
        moved = {
            lane: kind_sum(detail, lane) / int(detail["traffic"]["steps"])
            for lane in ("promoted", "demoted")
        }
        print(
            f"  {parameters / 1e6:.1f} M parameters, {12 * parameters / MIB:.0f} MiB of state,"
            f" on {part} MiB; a step with all of it on the device: {bare:.4f} s"
        )
        print(
            f"  spilled: {off:.4f} s without looking ahead, {on:.4f} s with it; tasks waited"
            f" {waited_off:.0%} and {waited_on:.0%} of their time for copies"
        )
        rates = self.rates()
        if rates is not None:
            taken = [
                moved["promoted"] / rates["to_device"],
                moved["demoted"] / rates["to_host"],
            ]
            bound, in_turn = max(bare, *taken), bare + sum(taken)
            print(
                f"  links of {rates['to_device'] / 1e9:.1f} and {rates['to_host'] / 1e9:.1f} GB/s:"
                f" the bound is {bound:.4f} s ({bound / on:.0%} of it reached), one after the"
                f" other {in_turn:.4f} s"
            )
            could_hide = in_turn - bound
            hidden = min(1.0, (in_turn - on) / could_hide)
            print(f"  of the time that can overlap, {hidden:.0%} does")
            if hidden < 0.2:
                raise Failure("copies do not go beside computing")
        ratios = []
        for lane in ("promoted", "demoted"):
            expected = sum(int(n) for n in detail["traffic"][f"predicted_{lane}"].values())
            counted = moved[lane]
            if lane == "promoted":
                counted += kind_sum(detail, "cached") / int(detail["traffic"]["steps"])
            ratios.append(counted / expected)
            print(
                f"  {lane}: {moved[lane] / 1e6:.1f} MB a step, with what was there already"
                f" {counted / 1e6:.1f}, by the formula {expected / 1e6:.1f} ({counted / expected:.3f})"
            )
        if not all(0.95 < ratio < 1.05 for ratio in ratios):
            raise Failure("the bytes are not the formula's")

    def gpt2(self):
        """GPT-2 124M on a third of its state, beside plain PyTorch."""
        self.python()
        if self.on_gpu:
            shape = dict(layers=12, width=768, heads=12, vocabulary=50257, context=1024)
            sizes = [(8, 512), (4, 512), (4, 256), (2, 256)]
        else:
            shape = dict(layers=8, width=256, heads=8, vocabulary=8000, context=128)
            sizes = [(2, 128), (1, 128)]
        steps = 6
        model, config = self.model("gpt2", **shape)
        self.plain("init", model / "config.json", model / "model.safetensors")
        tokens = self.tokens(steps * sizes[0][0] * 512 + 1, config["vocab_size"])
        state = 12 * small_models.parameter_count(config)
        mib = max(16, state // 3 // MIB)
        detail = None
        with self.server(f"{self.args.device}={mib}MiB", "8GiB") as server:
            for batch, context in sizes:
                self.left()
                train = {
                    "max_steps": steps,
                    "per_device_train_batch_size": batch,
                    "context_length": context,
                    "learning_rate": 1e-4,
                }
                (detail,) = server.train(
                    small_models.job(model, tokens, train=train, init="pretrained", save=False)
                )
                if detail["status"]["state"].endswith("COMPLETED"):
                    break
                print(f"  batch {batch}, context {context}: {detail['status'].get('reason', '')}")
            local_server.check_completed(detail)
            gpu = server.workers()[0].get("gpu")
        plain = self.plain(
            *("train", model / "config.json", model / "model.safetensors", tokens),
            *("--steps", steps, "--batch", batch, "--context", context),
            *("--learning-rate", 1e-4, "--device", self.args.device if self.on_gpu else "cpu"),
        )
        worst = 0.0
        print(f"  {'step':>4} {'Hydra':>12} {'PyTorch':>12} {'difference':>11}")
        for step, (ours, theirs) in enumerate(zip(losses(detail), plain["losses"])):
            difference = abs(ours - theirs) / abs(theirs)
            worst = max(worst, difference)
            print(f"  {step:>4} {ours:>12.7f} {theirs:>12.7f} {difference:>11.2e}")
        ours = statistics.median(step_seconds(detail)[2:])
        theirs = statistics.median(plain["seconds"][2:])
        print(
            f"  {small_models.parameter_count(config) / 1e6:.0f} M parameters, batch {batch},"
            f" context {context}; {state / MIB:.0f} MiB of state on {mib} MiB, cuts"
            f" {detail['partition'].get('cut_points', [])}: {ours:.4f} s a step; PyTorch with all"
            f" of it {theirs:.4f} s ({ours / theirs:.2f} x)"
        )
        if "peak_bytes" in plain:
            print(f"  PyTorch took {plain['peak_bytes'] / MIB:.0f} MiB")
        if gpu is not None and "energy_joules" in detail["totals"]:
            print(f"  {gpu.get('model', '')}: {detail['totals']['energy_joules']:.0f} J in all")
        if worst > 1e-3:
            raise Failure(f"a loss differs by {worst:.2e}, more than 1e-3")

    ROWS = ["contract", "parity", "bits", "limit", "overlap", "gpt2"]


def losses(detail):
    return [step["train_loss"] for step in detail["steps"]]


def weights_sum(detail):
    """The SHA-256 of the trained weights."""
    file = pathlib.Path(detail["output_path"]) / "model.safetensors"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def step_seconds(detail):
    """Of each step, the time of its tasks on devices."""
    return [
        local_server.duration(step["device"]) for step in detail["steps"] if "device" in step
    ]


def kind_sum(detail, what):
    return sum(int(count) for count in detail["traffic"].get(what, {}).values())


def copy_times(events):
    """The part of training tasks' time in which they waited for copies."""
    waited = whole = 0.0
    for event in events:
        arguments = event.get("args", {})
        is_training = any(
            f" {kind} " in event.get("name", "") for kind in ("FORWARD", "TURN", "BACKWARD")
        )
        if event.get("ph") != "X" or not is_training or "copy_ms" not in arguments:
            continue
        whole += event["dur"] / 1000
        waited += arguments["copy_ms"]
    if whole == 0:
        raise Failure("the trace has no training tasks")
    return waited / whole


def find_python_with_torch():
    """(program, environment), or False."""
    candidates = []
    root = os.environ.get("LIBTORCH_ROOT")
    if root:
        # PREFIX/lib/python3.N/site-packages/torch
        packages = pathlib.Path(root).parent
        candidates.append((str(packages.parents[2] / "bin/python3"), {}))
        candidates.append(("python3", {"PYTHONPATH": str(packages)}))
    candidates.append(("python3", {}))
    for program, more in candidates:
        environment = {**os.environ, **more}
        # As hydrad numbers them.
        environment.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        try:
            found = subprocess.run(
                [program, "-c", "import torch; torch.zeros(1)"], capture_output=True, env=environment
            )
        except OSError:
            continue
        if found.returncode == 0:
            return program, environment
    return False


def gpu_count():
    """As the driver says it: without it, none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def no_gpu(code):
    print("0 passed, 0 failed, skipped: no GPU")
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", help="where hydra and hydrad are")
    parser.add_argument(
        "--has-gpu", action="store_true", help="only say whether there is a GPU: 0, or else 1"
    )
    parser.add_argument("--contract", help="gpu_device_test")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--only", help="these rows, of " + ", ".join(Checks.ROWS))
    args = parser.parse_args()
    if args.has_gpu:
        return 0 if gpu_count() > 0 else no_gpu(1)
    if not args.bin:
        parser.error("--bin is missing")
    rows = args.only.split(",") if args.only else Checks.ROWS
    if unknown := set(rows) - set(Checks.ROWS):
        parser.error(f"--only: expected some of {', '.join(Checks.ROWS)}, found {', '.join(unknown)}")
    if args.device.startswith("cuda:") and gpu_count() == 0:
        return no_gpu(0)
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="hydra-gpu-") as folder:
        checks = Checks(args, pathlib.Path(folder))
        for name in rows:
            row = getattr(checks, name)
            print(f"{name}: {row.__doc__}", flush=True)
            begin = time.monotonic()
            try:
                checks.left()
                row()
                passed, word = passed + 1, "passed"
            except Skip as why:
                skipped, word = skipped + 1, f"skipped: {why}"
            except (Failure, RuntimeError, subprocess.TimeoutExpired) as why:
                failed, word = failed + 1, f"FAILED: {why}"
            print(f"  {word} ({time.monotonic() - begin:.0f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

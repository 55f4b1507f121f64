"""A hydrad of our own, and what its command line says of it."""

import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import time


@dataclasses.dataclass
class Programs:
    hydra: str
    hydrad: str
    # When whatever still runs has failed, by time.monotonic().
    end: float


class Failure(Exception):
    """What a row found wrong, for people."""


class Server:
    """hydrad on a socket of its own, from `with` on to its end.

    `devices` are as --device takes them; `settings` are further ones of --set.
    """

    def __init__(self, programs, devices, settings=(), pool="4GiB"):
        self._programs = programs
        self._devices = devices
        self._settings = [f"pool.size_bytes={pool}", *settings]
        self._folder = tempfile.TemporaryDirectory(prefix="hydra-gpu-")
        self.path = pathlib.Path(self._folder.name)
        self._daemon = None

    def __enter__(self):
        settings = [
            f"state_dir={self.path}/state",
            f"unix_socket={self.path}/hydrad.sock",
            "checkpoint_on_stop=false",
            *self._settings,
        ]
        if os.path.isdir("/dev/shm"):
            settings.append(f"pool.path=/dev/shm/{self.path.name}.pool")
        command = [self._programs.hydrad, "--device", self._devices]
        command += [f"--set={setting}" for setting in settings]
        self._log = open(self.path / "hydrad.log", "w")
        self._daemon = subprocess.Popen(command, stderr=self._log)
        try:
            self._await(lambda: self._call("info").returncode == 0)
            self._await(
                lambda: all(
                    worker["state"] == "WORKER_STATE_READY"
                    for worker in self.workers()
                )
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._daemon.terminate()
        try:
            self._daemon.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._log.close()
        self._folder.cleanup()

    def _await(self, is_so, seconds=90):
        deadline = time.monotonic() + seconds
        while not is_so():
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                raise Failure("hydrad or its worker does not start:\n" + self.log())
            time.sleep(0.1)

    def log(self):
        """The last words of hydrad and of its workers."""
        texts = [(self.path / "hydrad.log").read_text(errors="replace")[-2000:]]
        for file in sorted((self.path / "state").glob("logs/*")):
            if file.is_file() and not file.is_symlink():
                texts.append(f"{file.name}:\n" + file.read_text(errors="replace")[-2000:])
        return "\n".join(texts)

    def _call(self, *words):
        command = [self._programs.hydra, "--server", f"unix:{self.path}/hydrad.sock"]
        left = max(1, self._programs.end - time.monotonic())
        return subprocess.run([*command, *words], capture_output=True, text=True, timeout=left)

    def json(self, *words):
        answer = self._call(*words, "-o", "json")
        if answer.returncode != 0:
            raise Failure(f"hydra {' '.join(words)}: {answer.stderr.strip()}")
        return json.loads(answer.stdout)

    def workers(self):
        answer = self._call("workers", "-o", "json")
        return json.loads(answer.stdout)["workers"] if answer.returncode == 0 else [{"state": ""}]

    def train(self, jobs):
        """Runs the job files, all at once; their details, in order.

        Whether they were completed is the caller's to look at.
        """
        names = []
        for number, job in enumerate(jobs):
            file = self.path / f"job{len(os.listdir(self.path))}-{number}.yaml"
            file.write_text(json.dumps(job))
            names += [one["job_id"] for one in self.json("submit", str(file))["jobs"]]
        for name in names:
            self._call("watch", name)
        return [self.json("describe", name)["job"] for name in names]

    def trace(self, job):
        """The trace events of a job."""
        file = self.path / f"{job}.trace.json"
        answer = self._call("trace", job, "-o", str(file))
        if answer.returncode != 0:
            raise Failure(f"hydra trace {job}: {answer.stderr.strip()}")
        return json.loads(file.read_text())["traceEvents"]


def want_completed(details):
    for detail in details:
        status = detail["status"]
        if not status["state"].endswith("COMPLETED"):
            raise Failure(f"job {status['job_id']}: {status['state']} {status.get('reason', '')}")


def losses(detail):
    return [step["train_loss"] for step in detail["steps"]]


def weights_sum(detail):
    """The SHA-256 of the trained weights."""
    file = pathlib.Path(detail["output_path"]) / "model.safetensors"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def step_seconds(detail):
    """Of each step, the time of its tasks on devices."""
    return [float(step["device"].rstrip("s")) for step in detail["steps"] if "device" in step]

"""A hydrad for the time of one measurement, for the other scripts here."""

import datetime
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/gpt2_wikitext2"

# A worker on a GPU loads LibTorch's CUDA half first.
MOST_SECONDS_TO_BEGIN = 90
MOST_SECONDS_TO_END = 60

_numbers = itertools.count()


def check_programs(folder):
    """Ends with what to do if Hydra's programs are not in `folder`."""
    for name in ("hydrad", "hydra", "hydra-worker"):
        if not (pathlib.Path(folder) / name).exists():
            sys.exit(
                f"{folder}/{name} is missing: deploy/build.sh makes bin/,"
                " another folder is named with --bin"
            )


def leave_nothing_behind():
    """Lets SIGTERM end this program as Ctrl-C does, so that servers end too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def seconds(text):
    """A time of `-o json`, in seconds."""
    at = datetime.datetime.fromisoformat(text.rstrip("Z")[:26])
    return at.replace(tzinfo=datetime.timezone.utc).timestamp()


def duration(text):
    """A duration of `-o json`, such as "1.5s", in seconds; absent is 0."""
    return float((text or "0s").rstrip("s"))


def check_completed(job):
    """RuntimeError if a job that `hydra describe` showed was not completed."""
    status = job["status"]
    if status["state"] != "JOB_STATE_COMPLETED":
        raise RuntimeError(
            f"job {status['name']} is {status['state']}: {status.get('reason', '')}"
        )


class LocalServer:
    """A hydrad with a state directory and a pool of its own, as a context.

    `devices` is the list of the same name in docs/daemon.md, or text as
    --device takes it; `settings` are further keys of that page. From `end` on,
    a time of time.monotonic(), every verb fails with subprocess.TimeoutExpired.
    When the context ends, so does hydrad, and its files are removed.
    """

    def __init__(self, programs, devices, pool_size, settings=None, end=None):
        self.programs = programs
        self.devices = devices
        self.settings = {"pool.size_bytes": pool_size, **(settings or {})}
        self._end = end
        self._client = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="hydra-")
        self.folder = pathlib.Path(self._folder.name)
        name = f"hydra-{os.getpid()}-{next(_numbers)}.pool"
        shared = pathlib.Path("/dev/shm")
        self._pool = (shared if shared.is_dir() else self.folder) / name
        self._socket = f"{self.folder}/hydrad.sock"
        config = self.folder / "hydrad.yaml"
        command = [f"{self.programs}/hydrad"]
        if isinstance(self.devices, str):
            command.append(f"--device={self.devices}")
        else:
            config.write_text(json.dumps({"devices": self.devices}))
            command.append(f"--config={config}")
        settings = {
            "state_dir": f"{self.folder}/state",
            "pool.path": self._pool,
            "unix_socket": self._socket,
            # What is stopped half way is of no use to anybody.
            "checkpoint_on_stop": "false",
            **self.settings,
        }
        command += [f"--set={key}={value}" for key, value in settings.items()]
        with open(self.folder / "hydrad.log", "w") as log:
            self._daemon = subprocess.Popen(command, stderr=log)
        try:
            self._await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # One that watches in another thread would wait a minute for a server.
        if self._client:
            self._client.kill()
        self._daemon.terminate()
        try:
            self._daemon.wait(timeout=MOST_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        # hydrad removes its pool by itself; not one that was killed.
        for path in self._pool.parent.glob(self._pool.name + "*"):
            path.unlink(missing_ok=True)
        self._folder.cleanup()

    def _await_ready(self):
        deadline = time.monotonic() + MOST_SECONDS_TO_BEGIN
        while True:
            answer = self.hydra("workers", "-o", "json")
            if answer.returncode == 0 and all(
                worker["state"] == "WORKER_STATE_READY"
                for worker in json.loads(answer.stdout)["workers"]
            ):
                return
            if time.monotonic() > deadline:
                raise RuntimeError("hydrad or a worker does not begin:\n" + self.log())
            time.sleep(0.1)

    def log(self):
        """The last words of hydrad and of its workers."""
        texts = [(self.folder / "hydrad.log").read_text(errors="replace")[-2000:]]
        for file in sorted((self.folder / "state").glob("logs/*")):
            if file.is_file() and not file.is_symlink():
                text = file.read_text(errors="replace")
                texts.append(f"{file.name}:\n{text[-2000:]}")
        return "\n".join(texts)

    def hydra(self, *words):
        """What a verb ended with. RuntimeError: hydrad runs no more."""
        if self._daemon.poll() is not None:
            raise RuntimeError("hydrad ended:\n" + self.log())
        command = [f"{self.programs}/hydra", "--server", f"unix:{self._socket}"]
        left = None if self._end is None else max(0, self._end - time.monotonic())
        self._client = subprocess.Popen(
            [*command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            answer, errors = self._client.communicate(timeout=left)
        finally:
            self._client.kill()
        return subprocess.CompletedProcess(
            command, self._client.returncode, answer, errors
        )

    def answer(self, *words):
        """What a verb answers with `-o json`."""
        ended = self.hydra(*words, "-o", "json")
        if ended.returncode != 0:
            raise RuntimeError(f"hydra {' '.join(words)}: {ended.stderr}")
        return json.loads(ended.stdout)

    def workers(self):
        return self.answer("workers")["workers"]

    def train(self, *files):
        """Trains job files, given as dictionaries, at once and to their end.

        Returns what `hydra describe` says of each of their jobs, completed or
        not.
        """
        jobs, sweeps = [], []
        for file in files:
            path = self.folder / f"job-{next(_numbers)}.yaml"
            path.write_text(json.dumps(file))
            answer = self.answer("submit", str(path))
            sweeps.append(answer["sweep_id"])
            jobs += [one["job_id"] for one in answer["jobs"]]
        for sweep in sweeps:
            self.hydra("watch", sweep, "--interval-ms=1000")
        return [self.describe(job) for job in jobs]

    def run(self, *files):
        """As `train`. RuntimeError: a job was not completed."""
        described = self.train(*files)
        for one in described:
            check_completed(one)
        return described

    def describe(self, job):
        return self.answer("describe", job)["job"]

    def trace(self, target):
        """The events that `hydra trace` writes of a sweep or a job."""
        path = self.folder / "trace.json"
        ended = self.hydra("trace", target, "-o", str(path))
        if ended.returncode != 0:
            raise RuntimeError(f"hydra trace {target}: {ended.stderr}")
        return json.loads(path.read_text())["traceEvents"]

    def tasks(self, target, *kinds):
        """(begin, end) of tasks of these kinds, in seconds from the first."""
        return [
            (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
            for event in self.trace(target)
            if event.get("cat") == "task" and event["args"]["kind"] in kinds
        ]

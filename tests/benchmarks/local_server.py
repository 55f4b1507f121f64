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


class LocalServer:
    """A hydrad with a state directory and a pool of its own, as a context.

    `devices` is the list of the same name in docs/daemon.md, `settings` are
    further keys of that page. When the context ends, so does hydrad, and its
    files are removed.
    """

    def __init__(self, programs, devices, pool_size, settings=None):
        self.programs = programs
        self.devices = devices
        self.settings = {"pool.size_bytes": pool_size, **(settings or {})}
        self._client = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="hydra-")
        self.folder = pathlib.Path(self._folder.name)
        self._pool = f"/dev/shm/hydra-{os.getpid()}-{next(_numbers)}.pool"
        self._socket = f"{self.folder}/hydrad.sock"
        config = self.folder / "hydrad.yaml"
        config.write_text(json.dumps({"devices": self.devices}))
        settings = {
            "state_dir": f"{self.folder}/state",
            "pool.path": self._pool,
            "unix_socket": self._socket,
            # What is stopped half way is of no use to anybody.
            "checkpoint_on_stop": "false",
            **self.settings,
        }
        with open(self.folder / "hydrad.log", "w") as log:
            self._daemon = subprocess.Popen(
                [f"{self.programs}/hydrad", f"--config={config}"]
                + [f"--set={key}={value}" for key, value in settings.items()],
                stderr=log,
            )
        try:
            while self.hydra("info").returncode != 0:
                time.sleep(0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # One that watches in another thread would wait a minute for a server.
        if self._client:
            self._client.kill()
        self._daemon.terminate()
        self._daemon.wait()
        # hydrad removes its pool by itself; not one that was killed.
        pool = pathlib.Path(self._pool)
        for path in pool.parent.glob(pool.name + "*"):
            path.unlink(missing_ok=True)
        self._folder.cleanup()

    def hydra(self, *words):
        """What a verb ended with. RuntimeError: hydrad runs no more."""
        if self._daemon.poll() is not None:
            log = (self.folder / "hydrad.log").read_text()
            raise RuntimeError(log.strip().splitlines()[-1])
        command = [f"{self.programs}/hydra", "--server", f"unix:{self._socket}"]
        self._client = subprocess.Popen(
            [*command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            answer, errors = self._client.communicate()
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

    def run(self, *files):
        """Trains job files, given as dictionaries, at once and to their end.

        Returns what `hydra describe` says of each of their jobs.
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
        described = [self.describe(job) for job in jobs]
        for one in described:
            status = one["status"]
            if status["state"] != "JOB_STATE_COMPLETED":
                raise RuntimeError(
                    f"job {status['name']} is {status['state']}:"
                    f" {status['reason']}"
                )
        return described

    def describe(self, job):
        return self.answer("describe", job)["job"]

    def tasks(self, target, *kinds):
        """(begin, end) of tasks of these kinds, in seconds from the first."""
        path = self.folder / "trace.json"
        ended = self.hydra("trace", target, "-o", str(path))
        if ended.returncode != 0:
            raise RuntimeError(f"hydra trace {target}: {ended.stderr}")
        return [
            (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
            for event in json.loads(path.read_text())["traceEvents"]
            if event.get("cat") == "task" and event["args"]["kind"] in kinds
        ]

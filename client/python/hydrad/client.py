"""Jobs of a hydrad: submit them, follow them, fetch what they made."""

import contextlib
import datetime
import html
import os
import time
import uuid
import weakref
from typing import (Any, Callable, Dict, Generator, Iterable, Iterator, List,
                    NamedTuple, Optional, Sequence, Tuple, TypeVar, Union)

import grpc

from hydrad import address as _address
from hydrad import download as _download
from hydrad import errors, job_text
from hydrad.tunnel import Tunnel
from hydrad.v1 import hydra_pb2, hydra_pb2_grpc, status_pb2

_T = TypeVar("_T")

# Of a call that the server says to make again.
_MOST_ATTEMPTS = 3
# A server that was restarted is back within this.
_AWAY_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
# A loss curve of a million steps takes a hundred calls.
_STEPS_ON_A_PAGE = 10_000

_LOSSES = ("train_loss", "validation_loss", "test_loss")
_SCORES = ("validation_perplexity", "test_perplexity", "validation_accuracy",
           "test_accuracy")


class Status:
    """What lists show of a job, as it was when it was asked for.

    id, sweep_id, name: as the server has them.
    state: "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "PAUSED".
    phase: "TRAIN", "EVALUATE" and so on.
    reason: why it waits, or how it failed.
    step, total_steps: how far it is.
    train_loss, validation_loss, test_loss, validation_perplexity,
    test_perplexity, validation_accuracy, test_accuracy: None until measured.
    parameters: the grid's values of this job.
    message: the hydra.v1.JobStatus with all else.
    """

    def __init__(self, message: status_pb2.JobStatus):
        self.message = message
        self.id: str = message.job_id
        self.sweep_id: str = message.sweep_id
        self.name: str = message.name
        self.state: str = _short(status_pb2.JobState, message.state)
        self.phase: str = _short(status_pb2.JobPhase, message.phase)
        self.reason: str = message.reason
        self.step: int = message.step
        self.total_steps: int = message.total_steps
        self.train_loss: Optional[float] = _optional(message, "train_loss")
        self.validation_loss: Optional[float] = _optional(
            message, "validation_loss")
        self.test_loss: Optional[float] = _optional(message, "test_loss")
        self.validation_perplexity: Optional[float] = _optional(
            message, "validation_perplexity")
        self.test_perplexity: Optional[float] = _optional(
            message, "test_perplexity")
        self.validation_accuracy: Optional[float] = _optional(
            message, "validation_accuracy")
        self.test_accuracy: Optional[float] = _optional(message,
                                                        "test_accuracy")
        self.parameters: Dict[str, str] = dict(
            each.partition("=")[::2] for each in message.parameters)

    @property
    def ended(self) -> bool:
        return self.state in ("COMPLETED", "FAILED", "CANCELLED")

    @property
    def completed(self) -> bool:
        return self.state == "COMPLETED"

    def row(self) -> Dict[str, Any]:
        """One row of a table of jobs: its numbers, and each of `parameters`."""
        names = ("id", "name", "state", "step", "total_steps", *_LOSSES,
                 *_SCORES)
        return {**{name: getattr(self, name) for name in names},
                **self.parameters}

    def __repr__(self) -> str:
        return (f"<hydrad.Status {self.id} {self.name!r} {self.state} "
                f"{self.step}/{self.total_steps}>")

    def _repr_html_(self) -> str:
        return _table([self])


class LogLine(NamedTuple):
    """A line of a job's log."""

    time: datetime.datetime
    severity: str
    source: str
    # None: it belongs to no step.
    step: Optional[int]
    text: str
    # Which of the job's lines it is, from 1; of an older server 0.
    sequence: int = 0


class Submitted(NamedTuple):
    """What a job file asks for, without queueing anything."""

    jobs: List[Status]
    # What of the input is not used, or not as it is written.
    warnings: List[str]


class Client:
    """A connection to a hydrad. Thread-safe; close() it, or use it in `with`.

    server: unix:/path, host:port or ssh://[user@]host[:port][/path]; without
      it $HYDRA_SERVER, else the first of the usual sockets (docs/api.md).
    timeout: seconds after which a call that is no stream fails.
    ssh: the program to reach ssh:// with, and its options.

    Its methods raise HydraError. Calls of which the server says that they may
    be made again are.
    """

    def __init__(self, server: Optional[str] = None, *, timeout: float = 60.0,
                 ssh: Sequence[str] = ("ssh",)):
        self.server: str = _address.resolve(server)
        self.timeout = timeout
        target = self.server
        self._tunnel: Optional[Tunnel] = None
        if self.server.startswith("ssh://"):
            self._tunnel = Tunnel(_address.ssh_address(self.server), ssh)
            target = "unix:" + self._tunnel.path
            # Also when the program ends without close().
            weakref.finalize(self, self._tunnel.close)
        self._channel = grpc.insecure_channel(
            _address.grpc_target(target), options=[
                # Loopback and unix sockets never go through a proxy.
                ("grpc.enable_http_proxy", 0),
                # Lists of thousands of jobs exceed the default of 4 MiB.
                ("grpc.max_receive_message_length", -1),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.min_reconnect_backoff_ms", 1000),
                ("grpc.max_reconnect_backoff_ms", 1000),
            ])
        # For what this class has no method of; docs/api.md.
        self.stub = hydra_pb2_grpc.HydraServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()
        if self._tunnel is not None:
            self._tunnel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, job: job_text.Job, *, base_dir: Optional[str] = None,
               request_id: Optional[str] = None) -> "Sweep":
        """Queues the jobs of a job file: its path, its text or a dict.

        base_dir: the server's directory from which relative paths count.
          Without it the file's own, or the working directory; through ssh none,
          and relative paths are refused.
        request_id: made up if it is not given. Whoever tries again after an
          error gives the same one, and nothing is queued twice.
        """
        response = self._call(self.stub.Submit, self._request(
            job, base_dir, request_id or uuid.uuid4().hex))
        return Sweep(self, response.sweep_id,
                     [each.job_id for each in response.jobs],
                     list(response.warnings))

    def validate(self, job: job_text.Job, *,
                 base_dir: Optional[str] = None) -> Submitted:
        """What `submit` would queue. InvalidRequest: all mistakes at once."""
        request = self._request(job, base_dir, "")
        request.validate_only = True
        response = self._call(self.stub.Submit, request)
        return Submitted([Status(each) for each in response.jobs],
                         list(response.warnings))

    def plan(self, job: job_text.Job, *, base_dir: Optional[str] = None,
             device_memory_bytes: Iterable[int] = ()
             ) -> hydra_pb2.PlanResponse:
        """What the jobs will take of devices, pool and link, before anything
        runs: of devices with such memory limits, or of the server's."""
        asked = self._request(job, base_dir, "")
        return self._call(self.stub.Plan, hydra_pb2.PlanRequest(
            job_file=asked.job_file, base_dir=asked.base_dir,
            device_memory_bytes=device_memory_bytes))

    def job(self, job_id: str) -> "Job":
        """The job of that id; nobody looks whether there is one."""
        return Job(self, job_id)

    def sweep(self, sweep_id: str) -> "Sweep":
        """The sweep of that id. NotFound: there is none."""
        ids = [status.id for status in self.jobs(sweep=sweep_id)]
        return Sweep(self, sweep_id, ids, [])

    def jobs(self, *, sweep: str = "",
             states: Iterable[str] = ()) -> Iterator[Status]:
        """All jobs, newest sweep first, or those of a sweep or in some states
        ("RUNNING"), a page at a time."""
        request = hydra_pb2.ListJobsRequest(
            sweep_id=sweep,
            states=[status_pb2.JobState.Value("JOB_STATE_" + state.upper())
                    for state in states])
        while True:
            page = self._call(self.stub.ListJobs, request)
            yield from map(Status, page.jobs)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def workers(self) -> List[status_pb2.WorkerStatus]:
        """All workers, in the order of the server's devices."""
        return list(self._call(self.stub.ListWorkers,
                               hydra_pb2.ListWorkersRequest()).workers)

    def info(self) -> hydra_pb2.GetServerInfoResponse:
        """Version, pool, limits."""
        return self._call(self.stub.GetServerInfo,
                          hydra_pb2.GetServerInfoRequest())

    def __repr__(self) -> str:
        return f"<hydrad.Client {self.server}>"

    def _request(self, job: job_text.Job, base_dir: Optional[str],
                 request_id: str) -> hydra_pb2.SubmitRequest:
        read = job_text.read(job)
        if base_dir is None:
            base_dir = "" if self._tunnel is not None else read.directory
        return hydra_pb2.SubmitRequest(job_file=read.text, base_dir=base_dir,
                                       request_id=request_id)

    def _call(self, method: Callable[..., _T], request: Any) -> _T:
        deadline = time.monotonic() + self.timeout
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            left = max(0.0, deadline - time.monotonic())
            try:
                return method(request, timeout=left)
            except grpc.RpcError as error:
                failed = errors.from_rpc(error)
                pause = failed.retry_after
                if (pause is None or attempt == _MOST_ATTEMPTS or
                        pause >= deadline - time.monotonic()):
                    raise failed from None
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _read(self, method: Callable[..., Any], request: Any,
              timeout: Optional[float] = None) -> Generator[Any, None, None]:
        """The messages of a stream, which ends with the iterator."""
        stream = method(request, timeout=timeout)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise errors.from_rpc(error) from None
        finally:
            stream.cancel()

    def _watch(self, target: Dict[str, Any], timeout: Optional[float] = None
               ) -> Generator[status_pb2.JobStatus, None, None]:
        """Each new state of jobs, until they all have ended; goes on when the
        server was away for a while. TimeoutError: they have not by then."""
        request = hydra_pb2.WatchRequest(**target)
        deadline = None if timeout is None else time.monotonic() + timeout
        away_since = None
        while True:
            left = None
            if deadline is not None:
                left = max(0.0, deadline - time.monotonic())
            stream = self._read(self.stub.Watch, request, left)
            try:
                with contextlib.closing(stream):
                    for message in stream:
                        away_since = None
                        yield from message.jobs
                return
            except errors.HydraError as error:
                now = time.monotonic()
                if deadline is not None and (
                        now >= deadline or error.code == "DEADLINE_EXCEEDED"):
                    raise TimeoutError("not ended after "
                                       f"{timeout} s: {target}") from None
                # A server that stops may also cut a stream off (UNKNOWN).
                if error.code not in ("UNAVAILABLE", "UNKNOWN", "CANCELLED"):
                    raise
                away_since = now if away_since is None else away_since
                if now - away_since > _AWAY_SECONDS:
                    raise
                time.sleep(_PAUSE_SECONDS)


class _Target:
    """A job, or all jobs of a sweep."""

    def __init__(self, client: Client, id: str, field: str):
        self._client = client
        self.id = id
        self._target: Dict[str, Any] = {field: id}

    def cancel(self, *, delete_checkpoints: bool = False) -> List[str]:
        """Stops what has not ended; the ids of the jobs that this stopped."""
        request = hydra_pb2.CancelRequest(
            delete_checkpoints=delete_checkpoints, **self._target)
        return list(self._client._call(self._client.stub.Cancel,
                                       request).cancelled_job_ids)

    def delete(self) -> List[str]:
        """Removes what has ended from the server, with its log and its
        checkpoints; the ids of the jobs. Models stay where they are.

        HydraError, JOB_NOT_ENDED: a job has not ended; none is removed.
        """
        request = hydra_pb2.DeleteRequest(**self._target)
        return list(self._client._call(self._client.stub.Delete,
                                       request).deleted_job_ids)

    def pause(self) -> List[str]:
        """Saves what trains at the end of its step, and frees what it holds; the
        ids of the jobs that are now pausing or paused, and were not before."""
        request = hydra_pb2.PauseRequest(**self._target)
        return list(self._client._call(self._client.stub.Pause,
                                       request).paused_job_ids)

    def resume(self) -> List[str]:
        """Paused jobs go on; their ids."""
        request = hydra_pb2.ResumeRequest(**self._target)
        return list(self._client._call(self._client.stub.Resume,
                                       request).resumed_job_ids)

    def watch(self, timeout: Optional[float] = None) -> Iterator[Status]:
        """Each new state of its jobs, until they all have ended.

        TimeoutError: they have not after so many seconds.
        """
        return map(Status, self._client._watch(self._target, timeout))

    def __repr__(self) -> str:
        return f"<hydrad.{type(self).__name__} {self.id}>"


class Job(_Target):
    """One job of a server. It has no state of its own: each answer is new."""

    def __init__(self, client: Client, id: str):
        super().__init__(client, id, "job_id")

    @property
    def status(self) -> Status:
        """How it is now. NotFound: there is no such job."""
        stream = self._client._read(self._client.stub.Watch,
                                    hydra_pb2.WatchRequest(**self._target),
                                    self._client.timeout)
        with contextlib.closing(stream):
            for message in stream:
                for job in message.jobs:
                    return Status(job)
        raise errors.Unavailable("UNAVAILABLE", "the server told nothing of "
                                 f"{self.id}")

    def wait(self, timeout: Optional[float] = None) -> Status:
        """Returns when it has ended, however it did: see the status.

        TimeoutError: it has not after so many seconds.
        """
        status = None
        for status in self.watch(timeout):
            pass
        if status is None:
            return self.status
        return status

    def detail(self) -> status_pb2.JobDetail:
        """All that is known of it."""
        return self._client._call(
            self._client.stub.GetJob,
            hydra_pb2.GetJobRequest(job_id=self.id)).job

    def metrics(self, first_step: int = 0) -> List[Dict[str, Any]]:
        """What it measured from a step on: a row for each step, and for each
        evaluation. pandas.DataFrame(job.metrics()) is a table of them.

        split: "train", "validation" or "test".
        step: of "train" the step, from 0; else how many were trained before.
        loss: in nats per token. perplexity, accuracy, tokens: of evaluations.
        grad_norm, time, device_seconds: of steps. None: not there.
        """
        request = hydra_pb2.ListMetricsRequest(
            job_id=self.id, first_step=first_step, page_size=_STEPS_ON_A_PAGE)
        rows: List[Dict[str, Any]] = []
        while True:
            page = self._client._call(self._client.stub.ListMetrics, request)
            rows += map(_step_row, page.steps)
            rows += map(_evaluation_row, page.evaluations)
            if not page.next_page_token:
                # What was measured before a step stands before it.
                rows.sort(key=lambda row: (row["step"], row["split"] == "train"))
                return rows
            request.page_token = page.next_page_token

    def logs(self, *, follow: bool = False, tail: int = 0,
             after: int = 0) -> Iterator[LogLine]:
        """Its log lines, oldest first; with `follow` also new ones, until it has
        ended. tail: begin with the newest so many; 0: all that are kept. after:
        begin behind the line with this `sequence`, as where it broke off."""
        request = hydra_pb2.StreamLogsRequest(job_id=self.id, follow=follow,
                                              tail=tail, after=after)
        for message in self._client._read(self._client.stub.StreamLogs,
                                          request):
            for line in message.lines:
                yield LogLine(_time(line.time), line.severity, line.source,
                              None if line.step < 0 else line.step, line.text,
                              line.sequence)

    def download(self, directory: Union[str, "os.PathLike[str]"], *,
                 overwrite: bool = False) -> List[str]:
        """Writes the files of its trained model into `directory`, which is made
        if it is not there; their paths.

        FileExistsError: one is there already, and `overwrite` is false.
        """
        request = hydra_pb2.DownloadRequest(job_id=self.id)
        pieces = self._client._read(self._client.stub.Download, request)
        with contextlib.closing(pieces):
            return _download.receive(pieces, os.fspath(directory), overwrite)

    def _repr_html_(self) -> str:
        return _table([self.status])


class Sweep(_Target):
    """The jobs of one submission.

    jobs: in the order of the grid.
    warnings: of what was submitted here, what of the input is not used.
    """

    def __init__(self, client: Client, id: str, job_ids: Iterable[str],
                 warnings: List[str]):
        super().__init__(client, id, "sweep_id")
        self.jobs: List[Job] = [Job(client, each) for each in job_ids]
        self.warnings = warnings

    def wait(self, timeout: Optional[float] = None) -> List[Status]:
        """Returns when all jobs have ended, however they did: as results().

        TimeoutError: they have not after so many seconds.
        """
        for _ in self.watch(timeout):
            pass
        return self.results()

    def results(self) -> List[Status]:
        """Its jobs, best first: by validation loss where there is one, else by
        train loss."""
        response = self._client._call(
            self._client.stub.GetResults,
            hydra_pb2.GetResultsRequest(sweep_id=self.id))
        return [Status(each) for each in response.jobs]

    def _repr_html_(self) -> str:
        return _table(self.results())


def _short(enum: Any, value: int) -> str:
    """Without the enum's own name, which all of its words begin with. A newer
    server may have words that this package does not know."""
    try:
        name = enum.Name(value)
    except ValueError:
        return str(value)
    return name.split("_", 2)[2]


def _optional(message: Any, field: str) -> Optional[float]:
    return getattr(message, field) if message.HasField(field) else None


def _time(timestamp: Any) -> datetime.datetime:
    return timestamp.ToDatetime().replace(tzinfo=datetime.timezone.utc)


_NO_METRICS: Dict[str, Any] = dict.fromkeys(
    ("split", "step", "loss", "perplexity", "accuracy", "tokens", "grad_norm",
     "time", "device_seconds"))


def _step_row(step: status_pb2.StepMetrics) -> Dict[str, Any]:
    row = dict(_NO_METRICS, split="train", step=step.step, loss=step.train_loss,
               grad_norm=_optional(step, "grad_norm"))
    if step.HasField("time"):
        row["time"] = _time(step.time)
    if step.HasField("device"):
        row["device_seconds"] = step.device.seconds + step.device.nanos / 1e9
    return row


def _evaluation_row(found: status_pb2.EvaluationMetrics) -> Dict[str, Any]:
    return dict(_NO_METRICS, split=found.split, step=found.step,
                loss=found.loss,
                # Of classification there is none.
                perplexity=found.perplexity or None,
                accuracy=_optional(found, "accuracy"), tokens=found.tokens)


def _table(statuses: Sequence[Status]) -> str:
    """For notebooks. Names, reasons and parameters are anybody's text."""
    rows = [status.row() for status in statuses]
    columns: List[str] = []
    for row in rows:
        columns += [name for name, value in row.items()
                    if name not in columns and value is not None]
    cells: List[Tuple[str, List[str]]] = [("th", columns)]
    cells += [("td", [_cell(row.get(name)) for name in columns])
              for row in rows]
    return "<table>" + "".join(
        "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>"
                         for text in texts) + "</tr>"
        for tag, texts in cells) + "</table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)

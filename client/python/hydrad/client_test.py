"""Tests of hydrad's client, against a server of their own: python -m unittest
hydrad.client_test, where grpcio is installed."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc

import hydrad
from hydrad import address, job_text, tunnel
from hydrad.rpc import error_details_pb2, status_pb2 as rpc_status_pb2
from hydrad.v1 import hydra_pb2, hydra_pb2_grpc, status_pb2

J = status_pb2.JobStatus
RUNNING, COMPLETED = status_pb2.JOB_STATE_RUNNING, status_pb2.JOB_STATE_COMPLETED


def details(code, message, **infos):
    """Trailing metadata as hydrad sends it."""
    status = rpc_status_pb2.Status(code=code.value[0], message=message)
    for name, info in infos.items():
        detail = status.details.add()
        detail.type_url = "type.googleapis.com/google.rpc." + name
        detail.value = info.SerializeToString()
    return (("grpc-status-details-bin", status.SerializeToString()),)


class FakeHydra(hydra_pb2_grpc.HydraServiceServicer):
    """Answers what a test wrote down, and remembers what it was asked."""

    def __init__(self):
        self.requests = []
        # (code, message, trailing metadata) of the next calls.
        self.failures = []
        self.answers = {}
        # What each Watch sends: messages, then None or a code.
        self.watches = []

    def _answer(self, name, request, context):
        self.requests.append(request)
        if self.failures:
            code, message, metadata = self.failures.pop(0)
            context.set_trailing_metadata(metadata)
            context.abort(code, message)
        answer = self.answers[name]
        return answer(request) if callable(answer) else answer

    def Submit(self, request, context):
        return self._answer("Submit", request, context)

    def Plan(self, request, context):
        return self._answer("Plan", request, context)

    def ListJobs(self, request, context):
        return self._answer("ListJobs", request, context)

    def ListMetrics(self, request, context):
        return self._answer("ListMetrics", request, context)

    def GetResults(self, request, context):
        return self._answer("GetResults", request, context)

    def Cancel(self, request, context):
        return self._answer("Cancel", request, context)

    def Delete(self, request, context):
        return self._answer("Delete", request, context)

    def GetServerInfo(self, request, context):
        return self._answer("GetServerInfo", request, context)

    def StreamLogs(self, request, context):
        yield from self._answer("StreamLogs", request, context)

    def Download(self, request, context):
        yield from self._answer("Download", request, context)

    def Watch(self, request, context):
        self.requests.append(request)
        messages, end = self.watches.pop(0)
        yield from messages
        if end == "stay":
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait()
        elif end is not None:
            context.abort(end, "cut off")


class ClientTest(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(
            self.entered(tempfile.TemporaryDirectory()))
        self.fake = FakeHydra()
        self.socket = str(self.folder / "a b%.sock")
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        hydra_pb2_grpc.add_HydraServiceServicer_to_server(self.fake, server)
        server.add_insecure_port(address.grpc_target("unix:" + self.socket))
        server.start()
        self.addCleanup(lambda: server.stop(None).wait())
        self.client = hydrad.Client("unix:" + self.socket)
        self.addCleanup(self.client.close)

    def entered(self, manager):
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def sweep(self):
        return hydrad.Sweep(self.client, "s1", ["j7", "j8"], [])

    def submitted(self, job, **options):
        self.fake.answers["Submit"] = hydra_pb2.SubmitResponse(
            sweep_id="s3", jobs=[J(job_id="j7"), J(job_id="j8")],
            warnings=["unused"])
        return self.client.submit(job, **options)

    def test_submits_a_files_text_and_its_folder(self):
        path = self.folder / "job.yaml"
        path.write_text("name: ä\n")
        sweep = self.submitted(path)
        self.assertEqual(sweep.id, "s3")
        self.assertEqual([job.id for job in sweep.jobs], ["j7", "j8"])
        self.assertEqual(sweep.warnings, ["unused"])
        request = self.fake.requests[0]
        self.assertEqual(request.job_file, "name: ä\n")
        self.assertEqual(request.base_dir, str(self.folder))
        self.assertFalse(request.HasField("job"))
        self.submitted(str(path))
        self.assertEqual(self.fake.requests[1].job_file, "name: ä\n")
        # Another submission is another one.
        self.assertTrue(request.request_id)
        self.assertNotEqual(self.fake.requests[1].request_id,
                            request.request_id)

    def test_submits_text_and_dicts_from_the_working_directory(self):
        self.submitted("name: a\n", base_dir="/models")
        self.assertEqual(self.fake.requests[0].base_dir, "/models")
        self.submitted({"name": "a"}, request_id="mine")
        request = self.fake.requests[1]
        self.assertEqual(json.loads(request.job_file), {"name": "a"})
        self.assertEqual(request.base_dir, os.getcwd())
        self.assertEqual(request.request_id, "mine")

    def test_validates_without_queueing(self):
        self.fake.answers["Submit"] = hydra_pb2.SubmitResponse(
            jobs=[J(name="a", parameters=["x=1"])])
        found = self.client.validate("name: a\n")
        self.assertTrue(self.fake.requests[0].validate_only)
        self.assertEqual(found.jobs[0].parameters, {"x": "1"})

    def test_plans(self):
        self.fake.answers["Plan"] = hydra_pb2.PlanResponse(
            jobs=[hydra_pb2.JobPlan(name="a")])
        planned = self.client.plan("name: a\n", base_dir="/m",
                                   device_memory_bytes=[1 << 30])
        self.assertEqual(planned.jobs[0].name, "a")
        request = self.fake.requests[0]
        self.assertEqual((request.job_file, request.base_dir),
                         ("name: a\n", "/m"))
        self.assertEqual(list(request.device_memory_bytes), [1 << 30])

    def test_a_dict_becomes_a_job_file(self):

        class Scalar:

            def item(self):
                return 0.5

        text = job_text.read({"model": {"path": pathlib.Path("m")},
                              "train": {"seed": Scalar()}, "name": "ä"}).text
        self.assertEqual(json.loads(text), {"model": {"path": "m"},
                                            "train": {"seed": 0.5},
                                            "name": "ä"})
        # So that mistakes have lines of their own.
        self.assertGreater(text.count("\n"), 4)
        with self.assertRaises(ValueError):
            job_text.read({"train": {"learning_rate": float("nan")}})
        with self.assertRaises(TypeError):
            job_text.read({"train": object()})

    def test_mistakes_are_told_field_by_field(self):
        wrong = error_details_pb2.BadRequest()
        wrong.field_violations.add(field="train.seed", description="line 2: no")
        wrong.field_violations.add(description="not this")
        code = grpc.StatusCode.INVALID_ARGUMENT
        self.fake.failures = [(code, "cut", details(code, "cut",
                                                    BadRequest=wrong))]
        with self.assertRaises(hydrad.InvalidRequest) as caught:
            self.submitted("name: a\n")
        self.assertEqual(caught.exception.violations[0],
                         ("train.seed", "line 2: no"))
        self.assertEqual(str(caught.exception),
                         "train.seed: line 2: no\nnot this")

    def test_errors_have_a_reason(self):
        code = grpc.StatusCode.NOT_FOUND
        ours = error_details_pb2.ErrorInfo(domain="hydra",
                                           reason="JOB_NOT_FOUND")
        others = error_details_pb2.ErrorInfo(domain="x", reason="Y")
        self.fake.failures = [
            (code, "there is no j9", details(code, "", ErrorInfo=ours)),
            (code, "there is no j9", details(code, "", ErrorInfo=others)),
            (grpc.StatusCode.PERMISSION_DENIED, "not yours", ())]
        with self.assertRaises(hydrad.NotFound) as caught:
            self.client.job("j9").metrics()
        self.assertEqual(caught.exception.reason, "JOB_NOT_FOUND")
        self.assertEqual(str(caught.exception), "there is no j9")
        with self.assertRaises(hydrad.NotFound) as caught:
            self.client.job("j9").metrics()
        self.assertEqual(caught.exception.reason, "")
        with self.assertRaises(hydrad.HydraError) as caught:
            self.client.job("j9").cancel()
        self.assertEqual(caught.exception.code, "PERMISSION_DENIED")

    def test_a_call_is_made_again_if_the_server_says_so(self):
        code = grpc.StatusCode.UNAVAILABLE
        again = error_details_pb2.RetryInfo()
        again.retry_delay.nanos = 1_000_000
        soon = (code, "starting", details(code, "", RetryInfo=again))
        self.fake.failures = [soon, soon]
        self.submitted("name: a\n")
        ids = {request.request_id for request in self.fake.requests}
        self.assertEqual((len(self.fake.requests), len(ids)), (3, 1))
        # Not for ever, and not without a word.
        self.fake.failures = [soon] * 4
        with self.assertRaises(hydrad.Unavailable):
            self.client.info()
        self.assertEqual(len(self.fake.failures), 1)
        self.fake.failures = [(code, "away", ())] * 2
        with self.assertRaises(hydrad.Unavailable):
            self.client.info()
        self.assertEqual(len(self.fake.failures), 1)

    def test_a_server_that_is_away_is_unavailable(self):
        with hydrad.Client(f"unix:{self.folder}/none.sock") as client:
            with self.assertRaises(hydrad.Unavailable):
                client.info()
            with self.assertRaises(hydrad.Unavailable):
                _ = client.job("j1").status
            with self.assertRaises(TimeoutError):
                client.job("j1").wait(timeout=0.1)

    def test_lists_all_pages(self):
        pages = {"": hydra_pb2.ListJobsResponse(jobs=[J(job_id="j2")],
                                                next_page_token="t"),
                 "t": hydra_pb2.ListJobsResponse(jobs=[J(job_id="j1")])}
        self.fake.answers["ListJobs"] = lambda r: pages[r.page_token]
        self.assertEqual(
            [s.id for s in self.client.jobs(states=["running", "FAILED"])],
            ["j2", "j1"])
        self.assertEqual(list(self.fake.requests[0].states),
                         [RUNNING, status_pb2.JOB_STATE_FAILED])
        self.assertEqual([job.id for job in self.client.sweep("s1").jobs],
                         ["j2", "j1"])

    def test_metrics_are_rows_of_all_pages(self):
        step = status_pb2.StepMetrics(step=0, train_loss=3.0, grad_norm=0.5)
        step.time.seconds = 7
        step.device.nanos = 500_000_000
        evaluation = status_pb2.EvaluationMetrics(
            step=1, split="validation", loss=2.0, perplexity=7.4, tokens=9)
        pages = {"": hydra_pb2.ListMetricsResponse(steps=[step],
                                                   next_page_token="1"),
                 "1": hydra_pb2.ListMetricsResponse(
                     steps=[status_pb2.StepMetrics(step=1, train_loss=2.5)],
                     evaluations=[evaluation])}
        self.fake.answers["ListMetrics"] = lambda r: pages[r.page_token]
        rows = self.client.job("j1").metrics(first_step=0)
        self.assertEqual([(r["split"], r["step"], r["loss"]) for r in rows],
                         [("train", 0, 3.0), ("validation", 1, 2.0),
                          ("train", 1, 2.5)])
        self.assertEqual(rows[0]["grad_norm"], 0.5)
        self.assertEqual(rows[0]["device_seconds"], 0.5)
        self.assertEqual(rows[0]["time"].timestamp(), 7)
        self.assertEqual(rows[1]["perplexity"], 7.4)
        # One table.
        self.assertEqual(len({tuple(sorted(row)) for row in rows}), 1)

    def test_waits_until_a_job_has_ended_whatever_comes_between(self):
        self.fake.watches = [
            ([hydra_pb2.WatchResponse(jobs=[J(job_id="j1", state=RUNNING)])],
             grpc.StatusCode.UNAVAILABLE),
            ([hydra_pb2.WatchResponse(jobs=[J(job_id="j1", state=RUNNING)]),
              hydra_pb2.WatchResponse(jobs=[J(job_id="j1", state=COMPLETED)])],
             None)]
        status = self.client.job("j1").wait()
        self.assertTrue(status.completed and status.ended)
        self.assertEqual([r.job_id for r in self.fake.requests], ["j1", "j1"])

    def test_waiting_may_end_before_the_job(self):
        self.fake.watches = [
            ([hydra_pb2.WatchResponse(jobs=[J(job_id="j1", state=RUNNING)])],
             "stay")]
        with self.assertRaises(TimeoutError):
            self.client.job("j1").wait(timeout=0.2)

    def test_other_errors_end_waiting(self):
        self.fake.watches = [([], grpc.StatusCode.NOT_FOUND)]
        with self.assertRaises(hydrad.NotFound):
            self.sweep().wait()

    def test_a_status_is_of_now(self):
        self.fake.watches = [
            ([hydra_pb2.WatchResponse(jobs=[J(job_id="j1", state=RUNNING,
                                              step=3)])], "stay")]
        status = self.client.job("j1").status
        self.assertEqual((status.state, status.step), ("RUNNING", 3))
        self.assertIsNone(status.train_loss)

    def test_reads_log_lines(self):
        line = hydra_pb2.LogLine(severity="I", source="hydrad", step=-1,
                                 text="hello", sequence=7)
        self.fake.answers["StreamLogs"] = [
            hydra_pb2.StreamLogsResponse(lines=[line]),
            hydra_pb2.StreamLogsResponse(lines=[
                hydra_pb2.LogLine(severity="W", step=4, text="well")])]
        lines = list(self.client.job("j1").logs(follow=True, tail=5))
        self.assertEqual([(each.severity, each.step, each.text)
                          for each in lines],
                         [("I", None, "hello"), ("W", 4, "well")])
        self.assertTrue(self.fake.requests[0].follow)
        self.assertEqual(self.fake.requests[0].tail, 5)
        # Where it broke off it goes on.
        list(self.client.job("j1").logs(after=lines[0].sequence))
        self.assertEqual(self.fake.requests[1].after, 7)

    def test_cancels_one_job_or_a_sweep(self):
        self.fake.answers["Cancel"] = hydra_pb2.CancelResponse(
            cancelled_job_ids=["j7"])
        self.assertEqual(self.client.job("j7").cancel(), ["j7"])
        self.sweep().cancel(delete_checkpoints=True)
        self.assertEqual(self.fake.requests[0].job_id, "j7")
        self.assertEqual(self.fake.requests[1].sweep_id, "s1")
        self.assertTrue(self.fake.requests[1].delete_checkpoints)

    def test_deletes_one_job_or_a_sweep(self):
        self.fake.answers["Delete"] = hydra_pb2.DeleteResponse(
            deleted_job_ids=["j7"])
        self.assertEqual(self.client.job("j7").delete(), ["j7"])
        self.sweep().delete()
        self.assertEqual(self.fake.requests[0].job_id, "j7")
        self.assertEqual(self.fake.requests[1].sweep_id, "s1")

    def test_tables_in_notebooks_are_text(self):
        self.fake.answers["GetResults"] = hydra_pb2.GetResultsResponse(jobs=[
            J(job_id="j1", name="<script>", parameters=["a&b=<i>"],
              validation_loss=0.123456789)])
        page = self.sweep()._repr_html_()
        self.assertIn("&lt;script&gt;", page)
        self.assertIn("a&amp;b", page)
        self.assertIn("0.123457", page)
        self.assertNotIn("<script>", page)
        self.assertNotIn("<i>", page)

    def download(self, *pieces, **options):
        self.fake.answers["Download"] = [hydra_pb2.DownloadResponse(**piece)
                                         for piece in pieces]
        return self.client.job("j1").download(self.folder / "out", **options)

    def test_downloads_files_whole(self):
        paths = self.download(
            {"file_name": "config.json", "file_bytes": 2, "data": b"{}"},
            {"file_name": "empty", "file_bytes": 0},
            {"file_name": "big", "file_bytes": 5, "data": b"abc"},
            {"data": b"de"})
        out = self.folder / "out"
        self.assertEqual(paths, [str(out / name)
                                 for name in ("config.json", "empty", "big")])
        self.assertEqual((out / "big").read_bytes(), b"abcde")
        self.assertEqual(sorted(os.listdir(out)),
                         ["big", "config.json", "empty"])
        piece = {"file_name": "big", "file_bytes": 1, "data": b"x"}
        with self.assertRaises(FileExistsError):
            self.download(piece)
        self.download(piece, overwrite=True)
        self.assertEqual((out / "big").read_bytes(), b"x")

    def test_writes_nothing_elsewhere(self):
        target = self.folder / "target"
        for name in ("../target", "/tmp/target", "a/b", "..", "."):
            with self.assertRaises(hydrad.HydraError) as caught:
                self.download({"file_name": name, "file_bytes": 1,
                               "data": b"x"})
            self.assertEqual(caught.exception.code, "DATA_LOSS")
        os.symlink(target, self.folder / "out" / "link")
        with self.assertRaises(FileExistsError):
            self.download({"file_name": "link", "file_bytes": 1, "data": b"x"})
        self.download({"file_name": "link", "file_bytes": 1, "data": b"x"},
                      overwrite=True)
        self.assertFalse(target.exists())

    def test_keeps_no_part_of_a_file(self):
        with self.assertRaises(hydrad.HydraError):
            self.download({"file_name": "a", "file_bytes": 9, "data": b"x"})
        with self.assertRaises(hydrad.HydraError):
            self.download({"file_name": "a", "file_bytes": 1, "data": b"xy"})
        with self.assertRaises(hydrad.HydraError):
            self.download({"data": b"x"})
        self.assertEqual(os.listdir(self.folder / "out"), [])

    def test_another_machine_is_reached_through_ssh(self):
        # In place of ssh: what it runs there, to this socket.
        script = self.folder / "ssh.py"
        script.write_text(PROXY)
        log = self.folder / "log"
        self.fake.answers["GetServerInfo"] = hydra_pb2.GetServerInfoResponse(
            version="9")
        with hydrad.Client("ssh://ann@gpu1:2222", ssh=(
                sys.executable, str(script), self.socket, str(log))) as client:
            self.assertEqual(client.info().version, "9")
            self.assertEqual(client.info().version, "9")
            # It cannot know the folders there.
            self.fake.answers["Submit"] = hydra_pb2.SubmitResponse()
            client.submit("name: a\n")
            self.assertEqual(self.fake.requests[-1].base_dir, "")
            directory = client._tunnel._directory
            self.assertEqual(os.stat(directory).st_mode & 0o777, 0o700)
        self.assertEqual(json.loads(log.read_text()),
                         ["-p", "2222", "-T", "--", "ann@gpu1", HYDRA_THERE])
        self.assertFalse(os.path.exists(directory))


# Whichever name the client has there.
HYDRA_THERE = ("sh -c 'command -v hydractl >/dev/null && exec hydractl proxy "
               "\"$@\"; exec hydra proxy \"$@\"' hydra")


# Between its standard streams and a socket.
PROXY = """
import json, os, socket, sys, threading
with open(sys.argv[2], "w") as log:
    json.dump(sys.argv[3:], log)
there = socket.socket(socket.AF_UNIX)
there.connect(sys.argv[1])
def send():
    while (data := os.read(0, 65536)):
        there.sendall(data)
    there.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while (data := there.recv(65536)):
    while data:
        data = data[os.write(1, data):]
"""


class AddressTest(unittest.TestCase):

    def test_finds_the_server_as_the_command_line_does(self):
        none = lambda path: False
        for text, found in [("unix:/a/b", "unix:/a/b"), ("/a/b", "unix:/a/b"),
                            ("localhost:80", "localhost:80"),
                            ("[::1]:80", "[::1]:80"),
                            ("ssh://gpu1", "ssh://gpu1")]:
            self.assertEqual(address.resolve(text, {}, none), found)
            self.assertEqual(
                address.resolve(None, {"HYDRA_SERVER": text}, none), found)
        home = {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/1"}
        for path in ("/run/user/1/hydrad.sock", "/run/hydra/hydrad.sock",
                     "/home/ann/.local/state/hydra/hydrad.sock"):
            self.assertEqual(
                address.resolve("", home, lambda tried: tried == path),
                "unix:" + path)
        with self.assertRaisesRegex(ValueError, "/run/hydra/hydrad.sock"):
            address.resolve(None, home, none)

    def test_refuses_other_forms(self):
        for text in ("unix:", "localhost", "localhost:", ":80", "a:0",
                     "a:65536", "a:b", "/" + "x" * 200, "ssh://", "ssh://-oX",
                     "ssh://-l@h", "ssh://a:b@h", "ssh://h?x"):
            with self.assertRaises(ValueError, msg=text):
                address.resolve(text, {})

    def test_paths_of_any_characters_reach_grpc(self):
        self.assertEqual(address.grpc_target("unix:/a b%/ä-._~"),
                         "unix:/a%20b%25/%C3%A4-._~")
        self.assertEqual(address.grpc_target("h:1"), "h:1")

    def test_says_what_ssh_shall_run(self):
        command = lambda text: tunnel.remote_command(
            address.ssh_address(text), ("ssh", "-q"))
        self.assertEqual(command("ssh://gpu1"),
                         ["ssh", "-q", "-T", "--", "gpu1", HYDRA_THERE])
        self.assertEqual(
            command("ssh://gpu1/run/my%20own.sock")[-1],
            HYDRA_THERE + " --server 'unix:/run/my own.sock'")


class PackageTest(unittest.TestCase):

    def run_python(self, code):
        return subprocess.run([sys.executable, "-c", code], check=True,
                              capture_output=True, text=True).stdout

    def test_import_hydra_stays_hydra_cores(self):
        loaded = self.run_python(
            "import sys, hydrad\nhydrad.Client\n"
            "print('hydra' in sys.modules, 'google.rpc' in sys.modules)")
        self.assertEqual(loaded, "False False\n")

    def test_what_is_not_asked_for_is_not_loaded(self):
        loaded = self.run_python(
            "import sys, hydrad\nprint('grpc' in sys.modules)")
        self.assertEqual(loaded, "False\n")
        with self.assertRaises(AttributeError):
            hydrad.Nothing

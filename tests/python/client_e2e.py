"""The Python client against a real hydrad; //tests/python:client_test runs it:

    client_e2e.py SERVER MODEL TRAIN_TOKENS VALIDATION_TOKENS FOLDER
"""

import os
import pathlib
import sys
import time
import unittest

import grpc

import hydrad
from hydrad import address
from hydrad.v1 import hydra_pb2

SERVER, MODEL, TRAIN, VALIDATION, FOLDER = sys.argv[1:]
SECONDS = 300


def job(**train):
    return {
        "name": "from-python",
        "model": {"path": MODEL},
        "data": {"train_files": [TRAIN], "validation_files": [VALIDATION],
                 "format": "tokens_u16"},
        "train": {"max_steps": 6, "per_device_train_batch_size": 4,
                  "context_length": 32, "learning_rate": 1e-3, **train},
        "evaluation": {"eval_steps": 3},
    }


class ClientE2eTest(unittest.TestCase):

    def setUp(self):
        self.client = hydrad.Client(SERVER)
        self.addCleanup(self.client.close)

    def test_trains_a_sweep_and_fetches_what_it_made(self):
        sweep = self.client.submit(
            {**job(), "sweep": {"grid": {"train.learning_rate": [1e-3, 1e-4]}}})
        self.assertEqual(len(sweep.jobs), 2)
        statuses = sweep.wait(timeout=SECONDS)
        self.assertTrue(all(each.completed for each in statuses), statuses)
        losses = [each.validation_loss for each in statuses]
        self.assertEqual(losses, sorted(losses))
        self.assertEqual({each.parameters["learning_rate"]
                          for each in statuses}, {"0.001", "0.0001"})

        first = sweep.jobs[0]
        rows = first.metrics()
        steps = [row["step"] for row in rows if row["split"] == "train"]
        self.assertEqual(steps, list(range(6)))
        measured = [row for row in rows if row["split"] == "validation"]
        self.assertEqual([row["step"] for row in measured], [3, 6])
        self.assertEqual(measured[-1]["loss"], first.status.validation_loss)
        self.assertEqual([row["step"] for row in first.metrics(first_step=4)
                          if row["split"] == "train"], [4, 5])
        self.assertEqual(self.pages(first.id, 2), (steps, [3, 6]))

        lines = list(first.logs(follow=True))
        self.assertTrue(any("validation loss" in line.text for line in lines))
        self.assertEqual(len(list(first.logs(tail=1))), 1)

        written = first.download(pathlib.Path(FOLDER) / "model")
        output = pathlib.Path(first.detail().output_path)
        self.assertIn("model.safetensors", map(os.path.basename, written))
        for path in map(pathlib.Path, written):
            self.assertEqual(path.read_bytes(),
                             (output / path.name).read_bytes())
        self.assertIn(first.id, sweep._repr_html_())
        self.assertIn(first.id, [each.id for each in self.client.jobs(
            states=["COMPLETED"])])

    def pages(self, job_id, size):
        """The steps, and the evaluations' steps, page by page."""
        steps, evaluations = [], []
        request = hydra_pb2.ListMetricsRequest(job_id=job_id, page_size=size)
        while True:
            page = self.client.stub.ListMetrics(request)
            self.assertLessEqual(len(page.steps), size)
            steps += [each.step for each in page.steps]
            evaluations += [each.step for each in page.evaluations]
            if not page.next_page_token:
                return steps, evaluations
            request.page_token = page.next_page_token

    def test_cancels_a_job_that_trains(self):
        long = self.client.submit(job(max_steps=1_000_000)).jobs[0]
        for status in long.watch(timeout=SECONDS):
            if status.step > 0:
                break
        # Those that are in memory alone, too.
        self.assertEqual(long.metrics()[0]["step"], 0)
        self.assertEqual(long.cancel(), [long.id])
        self.assertEqual(long.wait(timeout=SECONDS).state, "CANCELLED")
        self.assertEqual(long.cancel(), [])
        with self.assertRaises(hydrad.HydraError) as caught:
            long.download(pathlib.Path(FOLDER) / "none")
        self.assertEqual(caught.exception.reason, "NO_MODEL")

    def test_deletes_a_job_when_it_has_ended(self):
        long = self.client.submit(job(max_steps=1_000_000)).jobs[0]
        with self.assertRaises(hydrad.HydraError) as caught:
            long.delete()
        self.assertEqual(caught.exception.reason, "JOB_NOT_ENDED")
        long.cancel()
        self.assertEqual(long.wait(timeout=SECONDS).state, "CANCELLED")
        self.assertEqual(long.delete(), [long.id])
        with self.assertRaises(hydrad.NotFound):
            long.detail()

    def test_tells_every_mistake_with_its_line(self):
        with self.assertRaises(hydrad.InvalidRequest) as caught:
            self.client.submit("train:\n  max_steps: many\n  lr: 3\n"
                               "model: {path: nowhere}\n", base_dir=FOLDER)
        found = dict(caught.exception.violations)
        self.assertIn("line 2: ", found["train.max_steps"])
        self.assertIn("line 3: ", found["train.lr"])
        self.assertIn("nowhere", found["model.path"])
        with self.assertRaises(hydrad.InvalidRequest) as caught:
            self.client.validate({"model": {"path": "here"}}, base_dir="")
        self.assertIn("absolute", dict(caught.exception.violations)["model.path"])

    def test_tells_what_there_is_not(self):
        for call in (lambda: self.client.job("j999").status,
                     lambda: self.client.job("j999").metrics(),
                     lambda: self.client.job("j999").wait(timeout=SECONDS)):
            with self.assertRaises(hydrad.NotFound) as caught:
                call()
            self.assertEqual(caught.exception.reason, "JOB_NOT_FOUND")
        with self.assertRaises(hydrad.NotFound) as caught:
            self.client.sweep("s999")
        self.assertEqual(caught.exception.reason, "SWEEP_NOT_FOUND")
        with self.assertRaises(hydrad.InvalidRequest):
            self.client.job("j01").cancel()

    def test_grpcs_own_library_reads_the_details(self):
        try:
            from grpc_status import rpc_status
        except ImportError:
            self.skipTest("grpcio-status is not installed")
        with self.assertRaises(grpc.RpcError) as caught:
            self.client.stub.GetJob(hydra_pb2.GetJobRequest(job_id="j999"))
        status = rpc_status.from_call(caught.exception)
        self.assertEqual(status.code, grpc.StatusCode.NOT_FOUND.value[0])
        self.assertEqual(len(status.details), 1)

    def raw(self, method, request):
        """A call of a service whose stubs are nowhere here."""
        with grpc.insecure_channel(address.grpc_target(SERVER)) as channel:
            return channel.unary_unary(method)(request, timeout=SECONDS)

    def test_is_healthy_once_a_worker_is_ready(self):
        self.client.submit(job(max_steps=1)).wait(timeout=SECONDS)
        check, serving = "/grpc.health.v1.Health/Check", b"\x08\x01"
        name = b"hydra.v1.HydraService"
        # It is told some moments later.
        while self.raw(check, b"") != serving:
            time.sleep(0.05)
        self.assertEqual(self.raw(check, b"\x0a" + bytes([len(name)]) + name),
                         serving)
        with self.assertRaises(grpc.RpcError) as caught:
            self.raw(check, b"\x0a\x01x")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_tells_its_services(self):
        with grpc.insecure_channel(address.grpc_target(SERVER)) as channel:
            ask = channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/"
                "ServerReflectionInfo")
            # list_services = 7: "".
            answer = next(ask(iter([b"\x3a\x00"]), timeout=SECONDS))
        self.assertIn(b"hydra.v1.HydraService", answer)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

"""Tests of hydrad.track: python -m unittest hydrad.track_test."""

import unittest

from hydrad import errors, track
from hydrad.client import Status
from hydrad.v1 import status_pb2


def row(split, step, **values):
    names = ("loss", "perplexity", "accuracy", "grad_norm", "device_seconds")
    return {**dict.fromkeys(names), "split": split, "step": step, **values}


class FakeJob:
    """Has another row each time that it is looked at, and has ended after the
    last one; every third time its server is away."""

    def __init__(self, rows):
        self.rows = rows
        self.looks = 0
        self.there = 0

    @property
    def status(self):
        self.looks += 1
        if self.looks % 3 == 0:
            raise errors.Unavailable("UNAVAILABLE", "away")
        self.there += 1
        ended = self.there >= len(self.rows)
        return Status(status_pb2.JobStatus(
            job_id="j1",
            state=status_pb2.JOB_STATE_COMPLETED if ended else
            status_pb2.JOB_STATE_RUNNING))

    def metrics(self, first_step):
        return [each for each in self.rows[:self.there]
                if each["step"] >= first_step]


class TrackTest(unittest.TestCase):

    def test_logs_each_step_and_each_evaluation_once(self):
        logged = []
        job = FakeJob([row("train", 0, loss=3.0, grad_norm=0.5),
                       row("validation", 1, loss=2.0, perplexity=7.4),
                       row("train", 1, loss=2.5),
                       row("validation", 2, loss=1.5, accuracy=0.5),
                       row("test", 2, loss=1.75)])
        status = track.follow(job, lambda *what: logged.append(what), every=0)
        self.assertTrue(status.completed)
        self.assertEqual(logged, [
            (0, {"train/loss": 3.0, "train/grad_norm": 0.5}),
            (1, {"validation/loss": 2.0, "validation/perplexity": 7.4}),
            (1, {"train/loss": 2.5}),
            (2, {"validation/loss": 1.5, "validation/accuracy": 0.5}),
            (2, {"test/loss": 1.75})])

    def test_other_errors_end_it(self):

        class Gone(FakeJob):

            @property
            def status(self):
                raise errors.NotFound("NOT_FOUND", "there is no j1")

        with self.assertRaises(errors.NotFound):
            track.follow(Gone([]), lambda *what: None, every=0)

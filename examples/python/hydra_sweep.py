#!/usr/bin/python3
"""Submits a small sweep to hydrad over gRPC, watches it, prints its results.

The request is built by hand from the generated stubs, to show that any program
can talk to hydrad: the `hydra` command has no privileges. See README.md.

Exit codes: 0 all jobs completed; 1 a job did not, or the server refused;
2 wrong usage, or the sweep is not valid; 5 the server cannot be reached;
130 interrupted (the sweep is cancelled).
"""

import argparse
import os
import sys
import uuid

import grpc

from google.rpc import error_details_pb2
from google.rpc import status_pb2 as rpc_status_pb2
from hydra.v1 import hydra_pb2, hydra_pb2_grpc, job_pb2, status_pb2

FAILED = 1
INVALID = 2
UNAVAILABLE = 5
INTERRUPTED = 130

CALL_SECONDS = 60
EXIT_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: INVALID,
    grpc.StatusCode.UNAVAILABLE: UNAVAILABLE,
}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Trains one model with several learning rates.")
    parser.add_argument("--server", default=os.environ.get("HYDRA_SERVER"),
                        help="unix:/path or host:port (default: $HYDRA_SERVER)")
    parser.add_argument("--model", required=True,
                        help="a Hugging Face model directory on the server")
    parser.add_argument("--init", choices=["pretrained", "random"],
                        default="pretrained",
                        help="where the parameters come from")
    parser.add_argument("--train-file", required=True)
    parser.add_argument("--validation-file")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--context-length", type=int,
                        help="tokens in a sequence (default: the longest)")
    parser.add_argument("--learning-rates", default="0.001,0.0003",
                        help="one job for each, separated by commas")
    arguments = parser.parse_args()
    if not arguments.server:
        parser.error("--server is not given, nor is $HYDRA_SERVER set")
    return arguments


def make_request(arguments):
    """One job specification and an axis of learning rates."""
    train = job_pb2.TrainSpec(
        max_steps=arguments.steps,
        per_device_train_batch_size=arguments.batch_size,
        optim=job_pb2.OPTIMIZER_ADAMW,
        # Replaced by the grid's values.
        learning_rate=1e-3,
    )
    if arguments.context_length is not None:
        train.context_length = arguments.context_length
    data = job_pb2.DataSpec(train_files=[os.path.abspath(arguments.train_file)])
    if arguments.validation_file:
        data.validation_files.append(os.path.abspath(arguments.validation_file))
    init = "INITIALIZATION_" + arguments.init.upper()
    return hydra_pb2.SubmitRequest(
        job=job_pb2.JobSpec(
            name="python-sweep",
            model=job_pb2.ModelSpec(
                path=os.path.abspath(arguments.model),
                init=job_pb2.Initialization.Value(init)),
            data=data,
            train=train,
        ),
        grid=[job_pb2.GridAxis(field="train.learning_rate",
                               values=arguments.learning_rates.split(","))],
        request_id=str(uuid.uuid4()),
    )


def phase_name(job):
    name = status_pb2.JobPhase.Name(job.phase)
    return name[len("JOB_PHASE_"):].lower()


def watch(stub, sweep_id):
    """Prints each change of a job's phase until all jobs have ended."""
    phases = {}
    for update in stub.Watch(hydra_pb2.WatchRequest(sweep_id=sweep_id)):
        for job in update.jobs:
            if phases.get(job.job_id) == job.phase:
                continue
            phases[job.job_id] = job.phase
            print(f"{job.job_id} {job.name!r}: {phase_name(job)}, "
                  f"step {job.step}/{job.total_steps} {job.reason!r}",
                  flush=True)


def number(job, field):
    return f"{getattr(job, field):.4f}" if job.HasField(field) else "-"


def print_results(jobs):
    # A model that classifies has an accuracy.
    classifies = any(job.HasField("validation_accuracy") for job in jobs)
    metric = "validation_accuracy" if classifies else "validation_perplexity"
    name = "val acc" if classifies else "val ppl"
    print(f"rank  job     train loss  {name}     parameters")
    for rank, job in enumerate(jobs, start=1):
        print(f"{rank:4}  {job.job_id:6}  {number(job, 'train_loss'):10}  "
              f"{number(job, metric):10}  "
              f"{' '.join(job.parameters)!r}")


def print_error(error):
    """The server's message, and every mistake that its details list."""
    print(f"{error.code().name}: {error.details()!r}", file=sys.stderr)
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in rpc_status_pb2.Status.FromString(value).details:
            mistakes = error_details_pb2.BadRequest()
            if not detail.Unpack(mistakes):
                continue
            for mistake in mistakes.field_violations:
                print(f"{mistake.field}: {mistake.description!r}",
                      file=sys.stderr)


def run_sweep(stub, request):
    sweep = stub.Submit(request, timeout=CALL_SECONDS)
    print(f"submitted {sweep.sweep_id} with {len(sweep.jobs)} jobs", flush=True)
    try:
        watch(stub, sweep.sweep_id)
    except KeyboardInterrupt:
        stub.Cancel(hydra_pb2.CancelRequest(sweep_id=sweep.sweep_id),
                    timeout=CALL_SECONDS)
        return INTERRUPTED
    results = stub.GetResults(
        hydra_pb2.GetResultsRequest(sweep_id=sweep.sweep_id),
        timeout=CALL_SECONDS)
    print_results(results.jobs)
    completed = all(job.state == status_pb2.JOB_STATE_COMPLETED
                    for job in results.jobs)
    return 0 if results.jobs and completed else FAILED


def main():
    arguments = parse_arguments()
    options = [("grpc.enable_http_proxy", 0),
               ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(arguments.server, options=options) as channel:
        stub = hydra_pb2_grpc.HydraServiceStub(channel)
        try:
            return run_sweep(stub, make_request(arguments))
        except grpc.RpcError as error:
            print_error(error)
            return EXIT_CODES.get(error.code(), FAILED)


if __name__ == "__main__":
    sys.exit(main())

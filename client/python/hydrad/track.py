"""A job's metrics, handed to a tracker of experiments while it trains.

    import wandb
    run = wandb.init(project="mine", name=job.status.name)
    hydrad.track.follow(job, lambda step, values: run.log(values, step=step))

    import mlflow
    with mlflow.start_run():
        hydrad.track.follow(job, lambda step, values:
                            mlflow.log_metrics(values, step=step))
"""

import time
from typing import Any, Callable, Dict, Set, Tuple

from hydrad.client import Job, Status
from hydrad.errors import Unavailable

# A server that was restarted is back within this.
_AWAY_SECONDS = 60.0

_LOGGED = ("loss", "perplexity", "accuracy", "grad_norm", "device_seconds")


def follow(job: Job, log: Callable[[int, Dict[str, float]], Any], *,
           every: float = 2.0) -> Status:
    """Calls log(step, values) for each step and each evaluation of a job, in
    their order, until it has ended; returns how it did.

    values: such as {"train/loss": 2.5, "train/grad_norm": 0.7} of a step,
      {"validation/loss": 2.4, "validation/perplexity": 11.0} of an evaluation,
      whose step is how many were trained before it.
    every: seconds between two looks. A server that is away for a minute at most
      is waited for.
    """
    next_step = 0
    logged: Set[Tuple[int, str]] = set()
    away_since = None
    while True:
        try:
            # Before the metrics: those of a job that has ended are all there.
            status = job.status
            rows = job.metrics(next_step)
            away_since = None
        except Unavailable:
            now = time.monotonic()
            away_since = now if away_since is None else away_since
            if now - away_since > _AWAY_SECONDS:
                raise
            time.sleep(every)
            continue
        for row in rows:
            place = (row["step"], row["split"])
            if place in logged:
                continue
            if row["split"] == "train":
                next_step = row["step"] + 1
            else:
                logged.add(place)
            log(row["step"], {f"{row['split']}/{name}": row[name]
                              for name in _LOGGED if row[name] is not None})
        if status.ended:
            return status
        time.sleep(every)

"""Hydra from Python.

    import hydrad

    with hydrad.Client() as client:
        sweep = client.submit("sweep.yaml")
        sweep.wait()
        for status in sweep.results():
            print(status.id, status.validation_loss, status.parameters)

hydrad.export exports models of one's own. docs/api.md says more.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrad.client import Client, Job, LogLine, Status, Submitted, Sweep
    from hydrad.errors import (HydraError, InvalidRequest, NotFound,
                               Unavailable, Violation)

# hydrad.export needs no gRPC, and the client no torch: each comes when it is
# asked for.
_PLACES = {
    "Client": "client",
    "Job": "client",
    "LogLine": "client",
    "Status": "client",
    "Submitted": "client",
    "Sweep": "client",
    "HydraError": "errors",
    "InvalidRequest": "errors",
    "NotFound": "errors",
    "Unavailable": "errors",
    "Violation": "errors",
}

__all__ = sorted(_PLACES)


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module 'hydrad' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hydrad.{_PLACES[name]}"), name)

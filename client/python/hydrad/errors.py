"""What a hydrad refuses, as exceptions."""

from typing import NamedTuple, Optional, Sequence

import grpc

from hydrad.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"
_DOMAIN = "hydra"


class Violation(NamedTuple):
    """What is wrong with one field, such as "train.learning_rate"."""

    field: str
    description: str


class HydraError(Exception):
    """A call failed; str() of it is the server's message.

    code: gRPC's name of the kind of error, such as "RESOURCE_EXHAUSTED".
    reason: the cause as a word that does not change (docs/api.md, "Errors");
      empty where there is none.
    violations: the mistakes of a refused submission.
    retry_after: in so many seconds the same call may succeed; None: nothing
      says so.
    """

    def __init__(self, code: str, message: str, reason: str = "",
                 violations: Sequence[Violation] = (),
                 retry_after: Optional[float] = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = tuple(violations)
        self.retry_after = retry_after

    def __str__(self) -> str:
        if not self.violations:
            return self.message
        return "\n".join(f"{v.field}: {v.description}" if v.field else
                         v.description for v in self.violations)


class InvalidRequest(HydraError):
    """Wrong whatever the server's state is: `violations` say where."""


class NotFound(HydraError):
    """There is no such job or sweep."""


class Unavailable(HydraError):
    """Nobody answers, or the server is starting or stopping."""


_CLASSES = {
    "INVALID_ARGUMENT": InvalidRequest,
    "NOT_FOUND": NotFound,
    "UNAVAILABLE": Unavailable,
}


def from_rpc(error: grpc.RpcError) -> HydraError:
    """The same error, with its details."""
    code = error.code().name
    reason, violations, retry_after = "", [], None
    for detail in _details(error):
        kind = detail.type_url.rpartition("/")[2]
        if kind == "google.rpc.ErrorInfo":
            info = error_details_pb2.ErrorInfo.FromString(detail.value)
            if info.domain == _DOMAIN:
                reason = info.reason
        elif kind == "google.rpc.BadRequest":
            wrong = error_details_pb2.BadRequest.FromString(detail.value)
            violations += [Violation(each.field, each.description)
                           for each in wrong.field_violations]
        elif kind == "google.rpc.RetryInfo":
            again = error_details_pb2.RetryInfo.FromString(detail.value)
            delay = again.retry_delay
            retry_after = max(0.0, delay.seconds + delay.nanos / 1e9)
    return _CLASSES.get(code, HydraError)(code, error.details() or code, reason,
                                          violations, retry_after)


def _details(error):
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            return status_pb2.Status.FromString(value).details
    return ()

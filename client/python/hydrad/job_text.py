"""A job as the text of a job file, which the server reads (docs/job-file.md)."""

import json
import os
from typing import Any, Mapping, NamedTuple, Optional, Union

Job = Union[str, "os.PathLike[str]", Mapping[str, Any]]


class JobText(NamedTuple):
    text: str
    # Where its relative paths count from, on this machine.
    directory: str


def read(job: Job) -> JobText:
    """`job` is a job file's path, its text (with a line end in it), or the same
    as a dict.

    ValueError, TypeError: the dict has what no job file can say. OSError: the
    file cannot be read.
    """
    if isinstance(job, Mapping):
        return JobText(_as_text(job), os.getcwd())
    if isinstance(job, str) and "\n" in job:
        return JobText(job, os.getcwd())
    path = os.path.abspath(os.fspath(job))
    with open(path, encoding="utf-8") as file:
        return JobText(file.read(), os.path.dirname(path))


def _as_text(job: Mapping[str, Any]) -> str:
    # JSON is YAML; a key in each line gives mistakes lines of their own.
    return json.dumps(job, indent=1, ensure_ascii=False, allow_nan=False,
                      default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    # A number of NumPy or PyTorch.
    item: Optional[Any] = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"a job has no place for {value!r}")

"""What chain.json is, and what of it Hydra reads (common/model/chain_config.cc)."""

import math
import re

CHAIN_FILE = "chain.json"
WEIGHTS_FILE = "model.safetensors"
MODEL_TYPE = "hydra_chain"
FORMAT = 1
LABELS = "labels"
LOSSES = ("cross_entropy",)
MOST_NAME_BYTES = 512

_MOST_DIMENSIONS = 8
_MOST_SIZE = 1 << 24
_MOST_NUMBERS = 1 << 40
_MOST_LAYERS = 10_000
_MOST_PARAMETERS = 10_000
_MOST_CHAIN_BYTES = 1 << 20
_MOST_FILE_BYTES = 16 << 20
_MOST_CODE_BYTES = 1 << 30


class ExportError(ValueError):
    """The model is none that can be exported; the message says why."""


def _check_name(what, name):
    if not 1 <= len(name.encode()) <= MOST_NAME_BYTES or re.search(
            r"[\x00-\x1f\x7f]", name):
        raise ExportError(f"{what} is {name!r}; 1 to {MOST_NAME_BYTES} bytes without "
                          "control characters are possible")


def _check_shape(what, shape):
    if len(shape) > _MOST_DIMENSIONS or any(
            not 1 <= size <= _MOST_SIZE for size in shape) or (
                math.prod(shape) > _MOST_NUMBERS):
        raise ExportError(f"{what} has the shape {shape}; at most {_MOST_DIMENSIONS} "
                          f"dimensions are possible, each of 1 to {_MOST_SIZE:,}, and "
                          f"{_MOST_NUMBERS:,} numbers")


def check_written(chain, text, files):
    """That hydrad, which is strict, takes what is about to be written."""
    _check_name("the input's name", chain["input"]["name"])
    _check_shape("an example", chain["input"]["shape"])
    if len(chain["layers"]) > _MOST_LAYERS:
        raise ExportError(f"the model has {len(chain['layers'])} layers; "
                          f"{_MOST_LAYERS} are the most")
    for number, layer in enumerate(chain["layers"]):
        where = f"layer {number} ({layer['op']})"
        _check_name(f"{where}: its class", layer["op"])
        _check_shape(f"{where}: what it makes of an example", layer["output"])
        if len(layer["parameters"]) > _MOST_PARAMETERS:
            raise ExportError(f"{where}: it has {len(layer['parameters'])} parameters; "
                              f"{_MOST_PARAMETERS} are the most")
        for parameter in layer["parameters"]:
            _check_name(f"{where}: a parameter's name", parameter["name"])
            _check_shape(f"{where}: {parameter['name']}", parameter["shape"])
        if len(files[layer["file"]]) > _MOST_FILE_BYTES:
            raise ExportError(f"{where}: its code has {len(files[layer['file']]):,} "
                              f"bytes; {_MOST_FILE_BYTES:,} are the most")
    of_all = sum(len(content) for content in files.values())
    if of_all > _MOST_CODE_BYTES:
        raise ExportError(f"the layers' code has {of_all:,} bytes; "
                          f"{_MOST_CODE_BYTES:,} are the most")
    if len(text.encode()) > _MOST_CHAIN_BYTES:
        raise ExportError(f"{CHAIN_FILE} would have {len(text.encode()):,} bytes; "
                          f"{_MOST_CHAIN_BYTES:,} are the most: take fewer layers, "
                          "or shorter names")

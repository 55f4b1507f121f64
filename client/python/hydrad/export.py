"""Exports a classifier of one's own as a chain that Hydra trains.

    python -m hydrad.export my_model.py:build --example-batch batch.safetensors --out my-chain

`build` returns an nn.Sequential, or another nn.Module with `hydra_layers()` or
`hydra_layers`: its layers, in their order, each of which makes one tensor of
one. The last one makes a number for each class. docs/job-file.md, "Chains of
your own", says what a layer may be.

In Python, export(model, batch, directory) does the same, and load(directory)
opens such a directory, also one that Hydra trained.
"""

import argparse
import hashlib
import importlib
import importlib.util
import io
import json
import pathlib
import sys
import warnings

import torch
from safetensors.torch import load_file, save_file

from hydrad.chain_format import (
    CHAIN_FILE, FORMAT, LABELS, LOSSES, MODEL_TYPE, WEIGHTS_FILE, ExportError,
    check_written)
from hydrad.layer_code import check_layer, compile_layer, set_parameters


def export(model, batch, directory, loss="cross_entropy"):
    """Writes `model`, an nn.Module, as an exported chain.

    `batch` has two tensors by their names, `labels` and the model's input, as a
    file of data.format: tensors has them: at least two examples. `directory` is
    made; one with files in it is refused. Raises ExportError."""
    if loss not in LOSSES:
        raise ExportError(f"the loss is {loss!r}; there is {', '.join(LOSSES)}")
    directory = pathlib.Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ExportError(f"{directory} is there and is no empty folder")
    name, inputs, labels = _example(batch)
    names = {id(parameter): own for own, parameter in model.named_parameters()}
    layers = _layers_of(model)
    _check_use(names, model, layers)
    files, entries = {}, []
    before = inputs
    with warnings.catch_warnings():
        # Tracing, and TorchScript itself, which PyTorch keeps and does not love.
        warnings.simplefilter("ignore")
        for number, layer in enumerate(layers):
            where = f"layer {number} ({_kind(layer)})"
            check_layer(layer, names, where)
            behind, bytes_of_file = compile_layer(layer, before, where)
            file = f"layer_{number}.pt"
            files[file] = bytes_of_file
            entries.append({
                "op": _kind(layer),
                "file": file,
                "sha256": hashlib.sha256(bytes_of_file).hexdigest(),
                "output": list(behind.shape[1:]),
                "parameters": _parameters(layer, names),
            })
            before = behind
    classes = _class_count(before, labels)
    chain = {
        "model_type": MODEL_TYPE,
        "format": FORMAT,
        "loss": loss,
        "input": {"name": name, "shape": list(inputs.shape[1:]), "dtype": "float32"},
        "classes": classes,
        "layers": entries,
    }
    text = json.dumps(chain, indent=1) + "\n"
    check_written(chain, text, files)
    directory.mkdir(parents=True, exist_ok=True)
    save_file({own: parameter.detach().contiguous().clone()
               for own, parameter in model.named_parameters()},
              directory / WEIGHTS_FILE)
    for file, content in files.items():
        (directory / file).write_bytes(content)
    # save_file's is for its owner alone, and hydrad may be another user.
    (directory / WEIGHTS_FILE).chmod((directory / "layer_0.pt").stat().st_mode)
    # Last: whoever finds it finds all.
    (directory / CHAIN_FILE).write_text(text)
    return chain


class Chain(torch.nn.Module):
    """An exported chain as a module: what its layers make of a batch of its
    inputs, float32, one behind the other. Logits."""

    def __init__(self, description, layers):
        super().__init__()
        self.description = description
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, inputs):
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs


def load(directory):
    """The chain in `directory`, exported or trained, with its weights.

    Runs the directory's own code: open what you trust. Its model.safetensors
    has the names of the exported model's state_dict, so that this takes it,
    too. Raises ExportError."""
    directory = pathlib.Path(directory)
    chain = json.loads((directory / CHAIN_FILE).read_text())
    if chain.get("model_type") != MODEL_TYPE or chain.get("format") != FORMAT:
        raise ExportError(f"{directory / CHAIN_FILE} is no chain of format {FORMAT}")
    weights = {name: torch.nn.Parameter(tensor)
               for name, tensor in load_file(directory / WEIGHTS_FILE).items()}
    layers = []
    for entry in chain["layers"]:
        content = (directory / entry["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ExportError(f"{directory / entry['file']} is not the file that "
                              "was exported: its SHA-256 is another one")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            layer = torch.jit.load(io.BytesIO(content), map_location="cpu")
        set_parameters(layer, {
            attribute: weights[parameter["name"]]
            for parameter in entry["parameters"]
            for attribute in parameter["attributes"]
        })
        layers.append(layer)
    return Chain(chain, layers)


def _example(batch):
    """The input's name, float32 inputs, and int64 labels."""
    others = sorted(set(batch) - {LABELS})
    if LABELS not in batch or len(others) != 1:
        raise ExportError(f"the example batch has the tensors {sorted(batch)}; it "
                          f"needs two: {LABELS}, and the model's input")
    name, labels = others[0], batch[LABELS]
    inputs = batch[name]
    if inputs.dim() < 2 or inputs.shape[0] < 2:
        raise ExportError(f"{name} has the shape {list(inputs.shape)}; [examples, "
                          "...] with at least two examples is needed")
    if inputs.dtype == torch.uint8:
        # As Hydra reads bytes.
        inputs = inputs.float() / 255
    elif inputs.dtype in (torch.float32, torch.float16, torch.bfloat16):
        inputs = inputs.float()
    else:
        raise ExportError(f"{name} is {inputs.dtype}; float32, float16, bfloat16 "
                          "and uint8 are possible")
    if not torch.isfinite(inputs).all():
        raise ExportError(f"{name} has numbers that are not finite")
    if labels.dtype not in (torch.int64, torch.int32) or labels.shape != inputs.shape[:1]:
        raise ExportError(f"{LABELS} is {labels.dtype} {list(labels.shape)}; int64 "
                          f"or int32 [{inputs.shape[0]}] is needed")
    return name, inputs.contiguous(), labels.long()


def _class_count(logits, labels):
    if logits.dim() != 2 or logits.shape[1] < 2:
        raise ExportError(f"the last layer makes {list(logits.shape)}; logits, "
                          "[examples, classes] of at least two, are needed")
    classes = logits.shape[1]
    if labels.min() < 0 or labels.max() >= classes:
        raise ExportError(f"{LABELS} has {labels.min()} to {labels.max()}; the last "
                          f"layer makes {classes} classes, from 0")
    return classes


def _kind(layer):
    """What people see: the class of what has most of the parameters."""
    if type(layer) is torch.nn.Sequential:
        layer = max(layer, key=lambda part: sum(p.numel() for p in part.parameters()))
    return type(layer).__name__


def _flat(modules):
    """Sequentials inside of a Sequential are links of the same chain."""
    for module in modules:
        if type(module) is torch.nn.Sequential:
            yield from _flat(module)
        else:
            yield module


def _layers_of(model):
    """The links, each with parameters: what has none goes with the link before
    it, or at the beginning with the one behind."""
    if not isinstance(model, torch.nn.Module):
        raise ExportError(f"the model is a {type(model).__name__}; an "
                          "nn.Sequential, or an nn.Module with hydra_layers, is "
                          "needed")
    own = getattr(model, "hydra_layers", None)
    if own is not None:
        modules = list(own() if callable(own) and not isinstance(own, torch.nn.Module)
                       else own)
    elif isinstance(model, torch.nn.Sequential):
        modules = list(model)
    else:
        raise ExportError(f"{type(model).__name__} is no nn.Sequential, and has no "
                          "hydra_layers: a list of its layers, in their order, or "
                          "a method that returns it")
    groups, first = [], []
    for module in _flat(modules):
        if not isinstance(module, torch.nn.Module):
            raise ExportError(f"a layer is a {type(module).__name__}, and no nn.Module")
        if next(module.parameters(), None) is not None:
            groups.append(first + [module])
            first = []
        elif groups:
            groups[-1].append(module)
        else:
            first.append(module)
    if not groups:
        raise ExportError("no layer has parameters")
    return [parts[0] if len(parts) == 1 else torch.nn.Sequential(*parts)
            for parts in groups]


def _check_use(names, model, layers):
    used = {id(parameter) for layer in layers for parameter in layer.parameters()}
    unused = [own for number, own in names.items() if number not in used]
    if unused:
        raise ExportError("no layer has these parameters of the model: "
                          + ", ".join(unused))
    if used - set(names):
        raise ExportError("a layer has parameters that the model itself has not: "
                          "its state_dict must have all of them")
    if model._forward_hooks or model._forward_pre_hooks:
        raise ExportError("the model has hooks, which would not be run")


def _parameters(layer, names):
    """The layer's, each with all of its places."""
    places = {}
    for attribute, parameter in layer.named_parameters(remove_duplicate=False):
        places.setdefault(id(parameter), (parameter, []))[1].append(attribute)
    return [{"name": names[number], "shape": list(parameter.shape),
             "attributes": attributes}
            for number, (parameter, attributes) in places.items()]


def _builder(reference):
    """`file.py:function` or `module:function`."""
    source, _, name = reference.rpartition(":")
    if not source:
        raise ExportError(f"{reference!r} is no file.py:function or module:function")
    if source.endswith(".py"):
        path = pathlib.Path(source).resolve()
        if not path.is_file():
            raise ExportError(f"there is no file {source}")
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        # Where scripting looks for a class's source.
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, "")
        module = importlib.import_module(source)
    if not callable(getattr(module, name, None)):
        raise ExportError(f"{source} has no function {name}")
    return getattr(module, name)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m hydrad.export",
        description="Exports a classifier that is a chain of PyTorch layers, so that "
                    "Hydra trains it: model.path is the folder that this makes.",
        epilog="example: python -m hydrad.export my_model.py:build --example-batch "
               "batch.safetensors --out my-chain")
    parser.add_argument("build", help="file.py:function or module:function, which "
                        "returns the model: an nn.Sequential, or an nn.Module with "
                        "hydra_layers")
    parser.add_argument("--example-batch", required=True, metavar="FILE",
                        help="a safetensors file with exactly two tensors: labels, "
                        "and the model's input")
    parser.add_argument("--examples", type=int, default=8, metavar="N",
                        help="so many of the file are looked at (default: 8)")
    parser.add_argument("--loss", default="cross_entropy", choices=LOSSES)
    parser.add_argument("--seed", type=int, default=0,
                        help="of PyTorch's random numbers before the function is "
                        "called, so of the weights (default: 0)")
    parser.add_argument("--out", required=True, metavar="DIR",
                        help="the folder to make; it is not there yet, or empty")
    options = parser.parse_args(arguments)
    try:
        if options.examples < 2:
            raise ExportError("--examples must be at least 2")
        try:
            batch = load_file(options.example_batch)
        except Exception as error:
            raise ExportError(f"--example-batch {options.example_batch}: {error}"
                              ) from error
        # What has no examples is named by export().
        batch = {name: tensor[:options.examples] if tensor.dim() else tensor
                 for name, tensor in batch.items()}
        build = _builder(options.build)
        torch.manual_seed(options.seed)
        chain = export(build(), batch, options.out, options.loss)
    except ExportError as error:
        print(f"hydrad.export: {error}", file=sys.stderr)
        return 1
    numbers = {}
    for layer in chain["layers"]:
        for parameter in layer["parameters"]:
            count = 1
            for size in parameter["shape"]:
                count *= size
            numbers[parameter["name"]] = count
    print(f"{options.out}: {len(chain['layers'])} layers, {sum(numbers.values()):,} "
          f"parameters, {chain['classes']} classes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

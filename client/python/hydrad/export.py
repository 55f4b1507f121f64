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
import copy
import hashlib
import importlib
import importlib.util
import io
import json
import math
import pathlib
import re
import sys
import warnings
import zipfile

import torch
from safetensors.torch import load_file, save_file

CHAIN_FILE = "chain.json"
WEIGHTS_FILE = "model.safetensors"
MODEL_TYPE = "hydra_chain"
FORMAT = 1
LABELS = "labels"
LOSSES = ("cross_entropy",)

# What Hydra reads (common/model/chain_config.cc).
_MOST_DIMENSIONS = 8
_MOST_SIZE = 1 << 24
_MOST_NUMBERS = 1 << 40
_MOST_NAME_BYTES = 512
_MOST_LAYERS = 10_000
_MOST_PARAMETERS = 10_000
_MOST_CHAIN_BYTES = 1 << 20
_MOST_FILE_BYTES = 16 << 20
_MOST_CODE_BYTES = 1 << 30

# A compiled layer may round otherwise than the Python that it was made of.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
# The same for all files, so that the same layer makes the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class ExportError(ValueError):
    """The model is none that can be exported; the message says why."""


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
            _check_layer(layer, names, where)
            behind, bytes_of_file = _compile(layer, before, where)
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
    _check_written(chain, text, files)
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
        _set_parameters(layer, {
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


def _check_name(what, name):
    if not 1 <= len(name.encode()) <= _MOST_NAME_BYTES or re.search(
            r"[\x00-\x1f\x7f]", name):
        raise ExportError(f"{what} is {name!r}; 1 to {_MOST_NAME_BYTES} bytes without "
                          "control characters are possible")


def _check_shape(what, shape):
    if len(shape) > _MOST_DIMENSIONS or any(
            not 1 <= size <= _MOST_SIZE for size in shape) or (
                math.prod(shape) > _MOST_NUMBERS):
        raise ExportError(f"{what} has the shape {shape}; at most {_MOST_DIMENSIONS} "
                          f"dimensions are possible, each of 1 to {_MOST_SIZE:,}, and "
                          f"{_MOST_NUMBERS:,} numbers")


def _check_written(chain, text, files):
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


def _check_layer(layer, names, where):
    for path, module in layer.named_modules():
        what = f"{where}: {path or 'it'} ({type(module).__name__})"
        if isinstance(module, torch.nn.modules.batchnorm._NormBase) and (
                module.track_running_stats):
            raise ExportError(
                f"{what} keeps running statistics, which each forward changes; a "
                "layer of a chain runs forward twice in a step, and changes "
                "nothing. Take GroupNorm or LayerNorm")
        if isinstance(module, torch.nn.modules.dropout._DropoutNd) and module.p > 0:
            raise ExportError(
                f"{what} drops numbers at random, with p={module.p}, and other "
                "ones each time that the layer runs; set p=0. Exported chains "
                "have no dropout")
        for own, buffer in module.named_buffers(recurse=False):
            if buffer is not None:
                raise ExportError(
                    f"{what} has the buffer {own}, a tensor that is no parameter; "
                    "make it in forward, of plain numbers: torch.arange(n, "
                    "device=x.device)")
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks:
            raise ExportError(f"{what} has hooks, which would not be run")
    for own, _ in layer.named_parameters(remove_duplicate=False):
        # TorchScript itself cannot read others that it wrote.
        if len(own) > _MOST_NAME_BYTES or not re.fullmatch(
                r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", own):
            raise ExportError(
                f"{where}: a parameter is its {own!r}; names of letters from A to Z, "
                f'digits and "_" are possible, parted by ".", of {_MOST_NAME_BYTES} '
                "bytes in all")
    for own, parameter in layer.named_parameters():
        if parameter.dtype != torch.float32:
            raise ExportError(f"{where}: {own} is {parameter.dtype}; float32 is needed")
        if not parameter.requires_grad:
            raise ExportError(
                f"{where}: {own} has requires_grad=False; leave it on, and freeze "
                f"it in the job file: model.frozen: [{names[id(parameter)]}]")


def _parameters(layer, names):
    """The layer's, each with all of its places."""
    places = {}
    for attribute, parameter in layer.named_parameters(remove_duplicate=False):
        places.setdefault(id(parameter), (parameter, []))[1].append(attribute)
    return [{"name": names[number], "shape": list(parameter.shape),
             "attributes": attributes}
            for number, (parameter, attributes) in places.items()]


def _compile(layer, inputs, where):
    """What the layer makes of `inputs`, and its file."""
    layer = copy.deepcopy(layer).train()
    # The file is made of the same tensors, without their numbers.
    weights = {path: parameter.detach().clone() for path, parameter
               in layer.named_parameters(remove_duplicate=False)}
    # A micro-batch may have any number of examples, and an epoch's last one.
    smaller = [inputs[:-1].clone(), inputs[:1].clone()]
    with torch.no_grad():
        wanted = _call(layer, inputs, where)
        wanted_of_smaller = [_call(layer, part, where) for part in smaller]
    _check_steady(layer, inputs, wanted, where)
    compiled = _script_or_trace(layer, inputs, smaller, wanted_of_smaller, where)
    _check_keeps_nothing(compiled, where)
    with torch.no_grad():
        made = compiled(inputs)
        made_of_smaller = [compiled(part) for part in smaller]
    for what, expected in zip([made] + made_of_smaller, [wanted] + wanted_of_smaller):
        if what.shape != expected.shape or not torch.allclose(
                what, expected, _RELATIVE, _ABSOLUTE):
            raise ExportError(f"{where}: its TorchScript does not compute what its "
                              "Python does")
    _check_steady(compiled, inputs, made, where)
    content = _file_of(compiled, where)
    # As a worker has it.
    loaded = torch.jit.load(io.BytesIO(content))
    _set_parameters(loaded, weights)
    with torch.no_grad():
        if not torch.equal(loaded(inputs), made):
            raise ExportError(f"{where}: its file does not compute what it does")
    return made.contiguous(), content


def _call(layer, inputs, where):
    given = inputs.clone()
    try:
        made = layer(given)
    except Exception as error:
        alone = (", and a micro-batch may have a single example"
                 if inputs.shape[0] == 1 else "")
        raise ExportError(f"{where}: it does not take {list(inputs.shape)}{alone}: "
                          f"{error}") from error
    if not isinstance(made, torch.Tensor) or made.dtype != torch.float32:
        what = made.dtype if isinstance(made, torch.Tensor) else type(made).__name__
        raise ExportError(f"{where}: it makes {what}; one float32 tensor is needed")
    if made.dim() < 2 or made.shape[0] != inputs.shape[0]:
        raise ExportError(f"{where}: it makes {list(made.shape)} of "
                          f"{list(inputs.shape)}; [examples, ...] is needed")
    if not torch.isfinite(made).all():
        raise ExportError(f"{where}: it makes numbers that are not finite of "
                          f"{list(inputs.shape)}, all finite")
    if not torch.equal(given, inputs):
        raise ExportError(f"{where}: it writes into the tensor that it is given; an "
                          "activation with inplace=True at its beginning does so")
    return made


def _check_keeps_nothing(compiled, where):
    """As a worker does (worker/model/layer_code.cc): no method sets an attribute,
    or writes into one that it just read."""

    def changed(block):
        for node in block.nodes():
            if node.kind() == "prim::SetAttr":
                yield node.s("name")
            elif node.schema() != "(no schema)":
                arguments = torch._C.parse_schema(node.schema()).arguments
                for argument, value in zip(arguments, node.inputs()):
                    alias, source = argument.alias_info, value.node()
                    if alias is not None and alias.is_write and (
                            source.kind() == "prim::GetAttr"):
                        yield source.s("name")
            for inner in node.blocks():
                yield from changed(inner)

    for module in compiled.modules():
        for method in module._c._method_names():
            for name in changed(module._c._get_method(method).graph):
                raise ExportError(
                    f"{where}: it changes its attribute {name}; a layer of a chain "
                    "runs forward twice in a step, and keeps nothing")


def _script_or_trace(layer, inputs, smaller, wanted_of_smaller, where):
    try:
        scripted = torch.jit.script(layer)
        # Some of PyTorch's own modules refuse only when they run.
        with torch.no_grad():
            scripted(inputs)
        return scripted
    except Exception as error:
        lines = str(error).strip().splitlines()
        why = lines[-1 if isinstance(error, torch.jit.Error) else 0]
    try:
        traced = torch.jit.trace(layer, (inputs,), check_trace=False)
    except Exception as error:
        raise ExportError(f"{where}: it can neither be scripted ({why}) nor traced "
                          f"({str(error).strip().splitlines()[0]})") from error
    for part, expected in zip(smaller, wanted_of_smaller):
        try:
            with torch.no_grad():
                made = traced(part)
        except RuntimeError:
            made = None
        if made is None or made.shape != expected.shape or not torch.allclose(
                made, expected, _RELATIVE, _ABSOLUTE):
            raise ExportError(f"{where}: it cannot be scripted ({why}), and traced it "
                              "is bound to what the example batch was: with "
                              f"{len(part)} of {len(inputs)} examples it computes "
                              "another thing")
    return traced


def _gradients(compiled, inputs):
    inputs = inputs.clone().requires_grad_()
    parameters = list(compiled.parameters())
    made = compiled(inputs)
    if not made.requires_grad:
        return made.detach(), [None]
    gradients = torch.autograd.grad(
        made, parameters + [inputs], torch.ones_like(made), allow_unused=True)
    return made.detach(), gradients


def _check_steady(compiled, inputs, made, where):
    """The same bits, whatever random numbers there are, and while recording."""
    results = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            results.append(_gradients(compiled, inputs))
            with torch.no_grad():
                again = compiled(inputs)
        if not torch.equal(again, made):
            raise ExportError(f"{where}: two runs on the same batch differ; it may "
                              "use no random numbers, and keep nothing")
    (first, of_first), (second, of_second) = results
    if not torch.equal(first, made) or not torch.equal(second, made):
        raise ExportError(f"{where}: it computes something else where gradients are "
                          "wanted than where they are not")
    for a, b in zip(of_first, of_second):
        if (a is None) != (b is None) or (a is not None and not torch.equal(a, b)):
            raise ExportError(f"{where}: its gradients differ from run to run")


def _file_of(compiled, where):
    """The TorchScript file: code, and of its parameters the shapes alone; nothing
    of this machine or of now."""
    for parameter in compiled.parameters():
        parameter.data = torch.zeros(()).expand(parameter.shape)
    written = io.BytesIO()
    torch.jit.save(compiled, written)
    stripped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written.getvalue())) as source, \
            zipfile.ZipFile(stripped, "w", zipfile.ZIP_STORED) as target:
        for record in source.namelist():
            part = record.split("/", 1)[1]
            if part.startswith("constants/"):
                raise ExportError(
                    f"{where}: its code has tensors as constants; write them as "
                    "plain numbers, or make them in forward of such: "
                    "torch.arange(n, device=x.device)")
            if part.endswith(".debug_pkl") or part.startswith(
                    ("traced_inputs", ".data/serialization_id")):
                continue
            target.writestr(zipfile.ZipInfo(record, _NO_TIME), source.read(record))
    return stripped.getvalue()


def _set_parameters(module, tensors):
    holders = dict(module.named_modules(remove_duplicate=False))
    for path, tensor in tensors.items():
        owner, _, name = path.rpartition(".")
        holder = holders[owner]
        if getattr(holder, name).shape != tensor.shape:
            raise ExportError(f"{path} has the shape {list(tensor.shape)}, and the "
                              f"layer wants {list(getattr(holder, name).shape)}")
        setattr(holder, name, tensor)


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

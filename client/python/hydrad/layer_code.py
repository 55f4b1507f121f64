"""A layer of a chain as a file: its TorchScript, and what it may not do."""

import copy
import io
import re
import zipfile

import torch

from hydrad.chain_format import MOST_NAME_BYTES, ExportError

# A compiled layer may round otherwise than the Python that it was made of.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
# The same for all files, so that the same layer makes the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def check_layer(layer, names, where):
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
        if len(own) > MOST_NAME_BYTES or not re.fullmatch(
                r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", own):
            raise ExportError(
                f"{where}: a parameter is its {own!r}; names of letters from A to Z, "
                f'digits and "_" are possible, parted by ".", of {MOST_NAME_BYTES} '
                "bytes in all")
    for own, parameter in layer.named_parameters():
        if parameter.dtype != torch.float32:
            raise ExportError(f"{where}: {own} is {parameter.dtype}; float32 is needed")
        if not parameter.requires_grad:
            raise ExportError(
                f"{where}: {own} has requires_grad=False; leave it on, and freeze "
                f"it in the job file: model.frozen: [{names[id(parameter)]}]")


def compile_layer(layer, inputs, where):
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
    set_parameters(loaded, weights)
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


def set_parameters(module, tensors):
    holders = dict(module.named_modules(remove_duplicate=False))
    for path, tensor in tensors.items():
        owner, _, name = path.rpartition(".")
        holder = holders[owner]
        if getattr(holder, name).shape != tensor.shape:
            raise ExportError(f"{path} has the shape {list(tensor.shape)}, and the "
                              f"layer wants {list(getattr(holder, name).shape)}")
        setattr(holder, name, tensor)

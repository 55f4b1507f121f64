"""Finds LibTorch: $LIBTORCH_ROOT, else where deploy/install_deps.sh unpacked it."""

_BUILD = """
cc_library(
    name = "libtorch",
    hdrs = [{headers}],
    includes = [
        "include",
        "include/torch/csrc/api/include",
    ],
    linkopts = [
        "-L{root}/lib",
        "-Wl,--disable-new-dtags,-rpath,{root}/lib",
        "-Wl,--no-as-needed",
        "-ltorch_cpu",
        "-lc10",
        "-Wl,--as-needed",
    ],
    visibility = [
        "@hydra//tests:__subpackages__",
        "@hydra//third_party/prelude:__pkg__",
        "@hydra//worker:__subpackages__",
    ],
)

# LibTorch's CUDA half. What it needs in turn is found when it is loaded.
cc_library(
    name = "cuda",
    linkopts = [
        "-Wl,--no-as-needed",
        "-ltorch_cuda",
        "-lc10_cuda",
        "-Wl,--as-needed",
    ],
    visibility = ["@hydra//worker/device/cuda:__subpackages__"],
    deps = [":libtorch"],
)
"""

_MISSING = """
fail("LibTorch is not at {root}: run deploy/install_deps.sh, or set LIBTORCH_ROOT")
"""

# The wheel also ships an old google/protobuf that would shadow the real one, so
# only these folders of its include path are exposed. Each is one input of an
# action: its nine thousand headers would be as many links in every sandbox. They
# do not change while LIBTORCH_ROOT stays the same.
_HEADERS = ["ATen", "c10", "torch", "caffe2"]

def _libtorch_impl(ctx):
    root = ctx.os.environ.get("LIBTORCH_ROOT")
    if not root:
        root = ctx.os.environ.get("HOME", "/root") + "/.cache/hydra/libtorch-2.11.0"
    if not ctx.path(root + "/lib/libtorch_cpu.so").exists:
        ctx.file("BUILD.bazel", _MISSING.format(root = root))
        return
    for folder in _HEADERS:
        ctx.symlink(root + "/include/" + folder, "include/" + folder)
    ctx.file("BUILD.bazel", _BUILD.format(
        root = root,
        headers = ", ".join(['"include/%s"' % folder for folder in _HEADERS]),
    ))

libtorch_repository = repository_rule(
    implementation = _libtorch_impl,
    environ = ["LIBTORCH_ROOT", "HOME"],
    local = True,
)

"""Finds the CUDA toolkit: $CUDA_HOME, else /usr/local/cuda."""

# The driver's own library, libcuda, is no part of it: what links that does not
# start on a machine without a GPU.
_BUILD = """
cc_library(
    name = "runtime",
    hdrs = ["include"],
    includes = ["include"],
    linkopts = [
        "-L{root}/lib64",
        "-lcudart",
    ],
    visibility = ["@hydra//worker/device/cuda:__subpackages__"],
)
"""

_MISSING = """
fail("the CUDA toolkit is not at {root}: install it, or set CUDA_HOME")
"""

def _cuda_impl(ctx):
    root = ctx.os.environ.get("CUDA_HOME") or "/usr/local/cuda"
    if not ctx.path(root + "/include/cuda_runtime_api.h").exists:
        ctx.file("BUILD.bazel", _MISSING.format(root = root))
        return

    # As one input of an action, as LibTorch's headers.
    ctx.symlink(root + "/include", "include")
    ctx.file("BUILD.bazel", _BUILD.format(root = root))

cuda_repository = repository_rule(
    implementation = _cuda_impl,
    environ = ["CUDA_HOME"],
    local = True,
)

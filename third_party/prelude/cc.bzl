"""The C++ rules of this tree: Bazel's own, with a precompiled prelude.

A unit that includes a few of the headers which most units include spends most
of its time on reading them. They are read once, into a prelude, which each
unit is given before its own first line. It changes no unit's meaning: a unit
still includes all that it uses, and `bazel build --define=prelude=none` builds
each without it.
"""

load("@rules_cc//cc:defs.bzl", _cc_binary = "cc_binary", _cc_library = "cc_library", _cc_test = "cc_test")

def _with_prelude(kwargs, testonly = False):
    if not kwargs.get("srcs"):
        return kwargs
    deps = kwargs.pop("deps", [])
    if "@libtorch" in deps:
        prelude = "libtorch"
    elif testonly or kwargs.get("testonly"):
        prelude = "test"
    elif "//third_party:grpc" in deps:
        prelude = "grpc"
    else:
        prelude = "base"
    target = "//third_party/prelude:" + prelude
    flags = ["-include", "$(BINDIR)/third_party/prelude/%s.h" % prelude]
    without = "//third_party/prelude:none"
    return dict(
        kwargs,
        copts = kwargs.pop("copts", []) + select({without: [], "//conditions:default": flags}),
        deps = deps + select({without: [], "//conditions:default": [target]}),
    )

def cc_library(**kwargs):
    # Nobody links shared libraries of them.
    _cc_library(linkstatic = True, **_with_prelude(kwargs))

def cc_binary(**kwargs):
    _cc_binary(**_with_prelude(kwargs))

def cc_test(**kwargs):
    _cc_test(**_with_prelude(kwargs, testonly = True))

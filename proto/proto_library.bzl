"""C++ code from .proto files, with the distribution's protoc."""

load("//third_party/prelude:cc.bzl", "cc_library")

def hydra_cc_proto(name, srcs, services = [], deps = [], **kwargs):
    """Makes one cc_library of messages, and of stubs for the files in `services`."""
    outs = []
    for src in srcs:
        base = src[:-len(".proto")]
        outs += [base + ".pb.h", base + ".pb.cc"]
        if src in services:
            outs += [base + ".grpc.pb.h", base + ".grpc.pb.cc"]
    command = "protoc -Iproto --cpp_out=$(GENDIR)/proto $(SRCS)"
    if services:
        command += " && protoc -Iproto --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out=$(GENDIR)/proto "
        command += " ".join(["$(location %s)" % s for s in services])
    native.genrule(
        name = name + "_gen",
        srcs = srcs,
        outs = outs,
        cmd = command.replace("-Iproto", "-Iproto -I/usr/include"),
        tools = ["//proto:all_protos"],
    )
    cc_library(
        name = name,
        srcs = [o for o in outs if o.endswith(".cc")],
        hdrs = [o for o in outs if o.endswith(".h")],
        includes = ["."],
        copts = ["-Wno-unused-parameter"],
        deps = deps + [
            "//third_party:protobuf",
            "//third_party:grpc",
        ],
        **kwargs
    )

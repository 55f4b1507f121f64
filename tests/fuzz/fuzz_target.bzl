"""Fuzz targets: NAME_fuzz.cc with LLVMFuzzerTestOneInput, seeds in corpus/NAME."""

load("//third_party/prelude:cc.bzl", "cc_binary", "cc_test")

def hydra_fuzz_target(name, deps):
    """Makes NAME_test, which every build runs, and NAME_fuzzer for run.sh."""
    deps = deps + ["//third_party:absl"]
    cc_test(
        name = name + "_test",
        size = "small",
        srcs = [
            name + "_fuzz.cc",
            "corpus_test.cc",
        ],
        data = native.glob(["corpus/%s/*" % name]),
        local_defines = ["FUZZ_CORPUS=\\\"tests/fuzz/corpus/%s\\\"" % name],
        deps = deps + [
            ":mutator",
            "//third_party:gtest_main",
        ],
    )

    # Links with clang and --config=fuzz only.
    cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )

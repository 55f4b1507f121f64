"""Tests that run on each of the devices that a test can have."""

load("//third_party/prelude:cc.bzl", "cc_library", "cc_test")

# Those that need no two devices at once, but for the pilot's, which takes long.
_ON_FAKE_CUDA = [
    "block_io_test",
    "departures_test",
    "one_task_test",
    "prefetcher_test",
    "restore_pass_test",
    "skipped_blocks_test",
    "streamed_head_test",
    "task_runner_test",
]

def device_tests(name, srcs, deps, size):
    """`name` on a CpuDevice, `name`_late on a LateDevice, and some as `name`_cuda.

    The last are on a CudaDevice over a fake of CUDA.

    Its sources are compiled once, and get their devices from NewTestDevice.
    """
    cc_library(
        name = name + "_cases",
        testonly = True,
        srcs = srcs,
        visibility = ["//visibility:private"],
        deps = deps + ["//worker/device/testing:test_device"],
        alwayslink = True,
    )
    devices = [("", "cpu"), ("_late", "late")]
    if name in _ON_FAKE_CUDA:
        devices.append(("_cuda", "cuda"))
    for suffix, device in devices:
        cc_test(
            name = name + suffix,
            size = size,
            env = {"HYDRA_TEST_DEVICE": device},
            deps = [
                ":" + name + "_cases",
                "//third_party:gtest_main",
            ],
        )

"""Tests that run on each of the devices that a test can have."""

load("//third_party/prelude:cc.bzl", "cc_library", "cc_test")

def device_tests(name, srcs, deps, size):
    """`name` on a CpuDevice, and `name`_late on a LateDevice.

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
    for suffix, device in [("", "cpu"), ("_late", "late")]:
        cc_test(
            name = name + suffix,
            size = size,
            env = {"HYDRA_TEST_DEVICE": device},
            deps = [
                ":" + name + "_cases",
                "//third_party:gtest_main",
            ],
        )

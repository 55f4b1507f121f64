"""Tests that run on each of the devices that a test can have."""

load("//third_party/prelude:cc.bzl", "cc_library", "cc_test")

# Those that need no two devices at once, but for the pilot's, which takes long.
_ON_FAKE_CUDA = [
    "block_io_test",
    "departures_test",
    "frozen_blocks_test",
    "masters_test",
    "one_task_test",
    "prefetcher_test",
    "random_tasks_test",
    "restore_pass_test",
    "skipped_blocks_test",
    "streamed_head_test",
    "task_runner_test",
]

# Those that compute, each with the cases that are left out: a ForeignDevice is
# slow, updates are the host's there, whatever the optimizer, and autograd takes
# some more memory in another order.
_ON_FOREIGN = {
    "clipping_test": [],
    "frozen_blocks_test": [
        "*.EveryPartitionGivesTheSameBits/*",
        "*.RoundsGiveTheSameBits/A*",
        "*.RoundsGiveTheSameBits/F*",
        "*.RoundsGiveTheSameBits/O*",
        "*.RoundsGiveTheSameBits/PartsOfBlocksOfInt8",
        "*.RoundsGiveTheSameBits/T*",
        "*/LoraOf*",
        "*/LoraOnAn*",
    ],
    "gpt2_layers_test": [],
    "llama_layers_test": [],
    "masters_test": [
        "*.EveryPartitionGivesTheSameBits/*",
        "*.RoundsGiveTheSameBits/*",
    ],
    "mlp_chain_test": ["*.IsSpilledWhereThePilotCutsItForASmallDevice"],
    "one_task_test": [],
    "pilot_test": [
        "PilotTest.*",
        "*/One*",
        "*/Three",
        "*/ThreeUntied",
    ],
    "resnet_layers_test": [],
    "skipped_blocks_test": [],
    "streamed_head_test": [],
    "task_runner_test": [
        "*.ThePlaceOfUpdatesDoesNotChangeABit/*",
        "*/AdamTied*",
        "*/AdamUntied*",
        "*/Momentum*",
        "*/Sgd*",
    ],
}

def device_tests(name, srcs, deps, size, copies = True):
    """`name` on a CpuDevice, `name`_late on a LateDevice, and some on others.

    `name`_cuda is on a CudaDevice over a fake of CUDA, `name`_foreign on a
    LateDevice over a ForeignDevice. A test that itself copies nothing between
    host and device is on no LateDevice.

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
    devices = [("", "cpu", [])]
    if copies:
        devices.append(("_late", "late", []))
    if name in _ON_FAKE_CUDA:
        devices.append(("_cuda", "cuda", []))
    if name in _ON_FOREIGN:
        devices.append(("_foreign", "foreign", _ON_FOREIGN[name]))
    for suffix, device, left_out in devices:
        cc_test(
            name = name + suffix,
            size = size,
            args = ["--gtest_filter=-" + ":".join(left_out)] if left_out else [],
            env = {"HYDRA_TEST_DEVICE": device},
            deps = [
                ":" + name + "_cases",
                "//third_party:gtest_main",
            ],
        )

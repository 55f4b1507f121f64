"""Bazel's built-in C++ rules under the names of rules_cc.

The distribution's rules_cc is too new for its own Bazel 4.2; the built-in rules
are the same rules.
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library

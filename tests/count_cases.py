"""Counts the test cases in a tree of JUnit XML files: "N passed, N failed".

Usage: count_cases.py FOLDER STATUS, with bazel test's exit status. Exits with 1
if a case failed, or if STATUS says so though no case does (a crash, a timeout).
"""

import os
import sys
import xml.etree.ElementTree


def main(folder, status):
    passed = failed = 0
    for directory, _, files in os.walk(folder, followlinks=True):
        for name in files:
            if name != "test.xml":
                continue
            path = os.path.join(directory, name)
            for case in xml.etree.ElementTree.parse(path).iter("testcase"):
                if case.get("status") == "notrun":
                    continue
                if case.find("failure") is None and case.find("error") is None:
                    passed += 1
                else:
                    failed += 1
                    print("FAILED", os.path.relpath(directory, folder),
                          case.get("classname", ""), case.get("name"))
    if status != "0" and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(*sys.argv[1:]))

"""Counts the test cases of one run of bazel test: "N passed, N failed".

Usage: count_cases.py EVENTS STATUS, with the file of --build_event_json_file and
bazel test's exit status. Cases that were skipped are named, in lines before the
last one. Exits with 1 if a case failed, or if STATUS says so though no case does
(a crash, a timeout).
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def result_files(events):
    """Pairs of a test's label and its JUnit XML file."""
    with open(events, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            for output in event.get("testResult", {}).get("testActionOutput", []):
                if output["name"] == "test.xml":
                    yield (event["id"]["testResult"]["label"],
                           urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path))


def was_skipped(case):
    # GoogleTest 1.12 writes an element too, bazel's own files nothing.
    return case.get("result") == "skipped" or case.find("skipped") is not None


def main(events, status):
    passed = failed = skipped = 0
    for label, path in result_files(events):
        for case in xml.etree.ElementTree.parse(path).iter("testcase"):
            name = f"{label} {case.get('classname', '')} {case.get('name')}"
            if case.get("status") == "notrun":
                continue
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                print("FAILED", name)
            elif was_skipped(case):
                skipped += 1
                print("SKIPPED", name)
            else:
                passed += 1
    if status != "0" and failed == 0:
        failed = 1
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(*sys.argv[1:]))

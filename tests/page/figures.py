"""What hydrad's page costs: bytes, milliseconds until something is drawn, and requests and bytes a minute.

    tests/page/run.sh --figures

Each view of a hydrad that trains the quick start's sweep, in Chromium.
"""

import statistics
import sys
import urllib.request

from playwright.sync_api import expect, sync_playwright

import page_test

TURNS = 5
SECONDS = 60
PAINT = """() => { const entry = performance.getEntriesByName('first-contentful-paint')[0]; return entry ? entry.startTime : null; }"""


def milliseconds(browser, url, anchor, filled):
    """From the request of the page, by a browser that has nothing of it, until something is drawn, and until it has the server's numbers."""
    drawn, shown = [], []
    for _ in range(TURNS):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(url + anchor)
        expect(page.locator(filled).first).to_be_attached()
        shown.append(page.evaluate("performance.now()"))
        page.wait_for_function(f"({PAINT})() !== null")
        drawn.append(page.evaluate(PAINT))
        context.close()
    return statistics.median(drawn), statistics.median(shown)


def a_minute(browser, url, anchor):
    """Requests, and bytes of their answers as they come over the wire, of a page that is open already."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url + anchor)
    expect(page.locator("#connection")).to_have_text("up to date")
    finished = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.wait_for_timeout(SECONDS * 1000)
    requests = list(finished)
    sizes = sum(sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize")) for request in requests)
    context.close()
    return len(requests), sizes


def main():
    folder = sys.argv[1]
    with sync_playwright() as playwright, page_test.quick_start(folder) as (url, sweep, _):
        browser = page_test.open_browser(playwright)
        with urllib.request.urlopen(url) as answer:
            body = answer.read()
            print(f"the page: {len(body)} B, {answer.headers.get('Content-Encoding') or 'not compressed'}")
        print("| view | first drawn, ms | with numbers, ms | requests a minute | KB a minute |\n| --- | --- | --- | --- | --- |")
        for view, anchor, filled in (("overview", "#", "#devices h3"), ("sweep", f"#{sweep}", "#board tbody tr"), ("job", "#j1", "#facts *")):
            drawn, shown = milliseconds(browser, url, anchor, filled)
            requests, sizes = a_minute(browser, url, anchor)
            print(f"| {view} | {drawn:.0f} | {shown:.0f} | {requests} | {sizes / 1e3:.0f} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()

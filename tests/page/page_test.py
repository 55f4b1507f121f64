"""Drives the page in Chromium: against answers that are made up, and against a hydrad.

    page_test.py [--bin FOLDER] [--shots FOLDER]

Without --bin only what is made up is tried. With --shots pictures of every view are written there.
"""

import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import expect, sync_playwright

import made_up_server

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/benchmarks"))
WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")
VIEWS = {"overview": "", "sweep": "#s1", "job": "#j5"}
# In steps of the keyboard.
MOST_TABS = 60

# Of what is drawn as text: how much it stands out from what is behind it. WCAG asks for 4.5.
CONTRAST = """() => {
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('svg') || !element.checkVisibility() || element.disabled) continue;
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${element.tagName} ${element.textContent.slice(0, 40)}`);
  }
  return faint;
}"""


class Visit:
    """A tab of a browser, whose errors are failures."""

    def __init__(self, browser, url, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.url = url
        self.errors = []
        # What an answer of 404 or none at all writes there is asked for.
        self.page.on("console", lambda message: self.errors.append(message.text)
                     if message.type == "error" and "Failed to load resource" not in message.text else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert not self.errors, self.errors

    def go(self, view, anchor=None):
        self.page.goto(self.url + (VIEWS[view] if anchor is None else anchor))
        expect(self.page.locator(f"#{view}")).to_be_visible()
        expect(self.page.locator("#connection")).to_have_text("up to date")
        return self.page


def check_looks(browser, url, shots):
    """Nothing is cut off, faint, or run, at any width, in light and dark."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            with Visit(browser, url, viewport={"width": width, "height": 900}, color_scheme=scheme) as visit:
                for view in VIEWS:
                    page = visit.go(view)
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (view, width)
                    faint = page.evaluate(CONTRAST)
                    assert not faint, (view, width, scheme, faint)
                    assert page.evaluate("window.evil") is None, view
                    if shots:
                        page.screenshot(path=f"{shots}/{view}-{width}-{scheme}.png", full_page=True)


def check_text_is_text(browser, url):
    with Visit(browser, url) as visit:
        for view, anchor in (("overview", None), ("sweep", None), ("job", None)):
            page = visit.go(view, anchor)
            assert made_up_server.EVIL in page.locator("main").inner_text(), view
            assert page.locator("main img, main script").count() == 0, view
            assert page.evaluate("document.scripts.length") == 1
        assert page.evaluate("window.evil") is None


def check_keyboard(browser, url):
    """Tab goes from top to bottom through all that can be used, shows where it is, and comes out again."""
    with Visit(browser, url, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.go("overview", "#")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        tops = []
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            place = page.evaluate("""() => { const e = document.activeElement; const r = e.getBoundingClientRect();
              return e === document.body ? null : {tag: e.tagName, id: e.id, text: e.textContent.slice(0, 20), top: r.top + scrollY, outline: getComputedStyle(e).outlineStyle}; }""")
            assert place is not None
            assert place["outline"] != "none", place
            tops.append(place["top"])
        assert tops == sorted(tops), tops
        # A link keeps the focus while the numbers around it change.
        page.locator("#jobs a", has_text=re.compile("^j1$")).focus()
        before = page.locator("#jobs tr", has=page.locator("a", has_text=re.compile("^j1$"))).inner_text()
        expect(page.locator("#jobs tr", has=page.locator("a", has_text=re.compile("^j1$")))).not_to_have_text(before, use_inner_text=True, timeout=20000)
        assert page.evaluate("document.activeElement.textContent") == "j1"
        page.keyboard.press("Enter")
        expect(page.locator("#job")).to_be_visible()
        expect(page.locator("#job-heading")).to_be_focused()
        page.locator("#log").focus()
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.id") != "log"
        page.go_back()
        expect(page.locator("#overview")).to_be_visible()


def check_many_jobs(browser, url, made_up):
    """Ten thousand jobs come in pages; each can be used within a second."""
    with Visit(browser, url, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.go("overview", "#")
        page.locator("#which").select_option(label="all")
        expect(page.locator("#jobs-note")).to_have_text("200 on page 1, more follow")
        assert page.locator("#jobs tbody tr").count() <= 210
        for number in range(2, 8):
            page.locator("#older").click()
            expect(page.locator("#jobs-note")).to_have_text(f"200 on page {number}, more follow")
        expect(page.locator("#jobs td").first).to_have_text(re.compile("^j1[2-4][0-9][0-9]$"))
        print(f"  {made_up.jobs} jobs: the page stands still for {standstill(page):.0f} ms at most")
        page.locator("#newer").click()
        expect(page.locator("#jobs-note")).to_have_text("200 on page 6, more follow")


def check_users(browser, url):
    """Jobs stand by user, by name where there is one; another user's has no link, since there is nothing behind it."""
    with Visit(browser, url, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.go("overview", "#")
        titles = page.locator("#jobs th.user").all_inner_texts()
        assert sorted(title.split(":")[0] for title in titles) == ["alice", "bob", "user 1002"], titles
        row = page.locator("#jobs tr", has=page.locator("td", has_text=re.compile(f"^j{made_up_server.WITHHELD}$")))
        expect(row).to_contain_text("(bob's)")
        assert row.locator("a").count() == 0
        expect(page.locator("#jobs tr", has=page.locator("a", has_text=re.compile("^j6$")))).to_contain_text("priority -3")
        running = page.locator("#jobs tr", has=page.locator("a", has_text=re.compile("^j1$")))
        expect(running).to_contain_text(re.compile("~.*[0-9]:[0-9]"))
        page = visit.go("job", "#j1")
        expect(page.locator("#facts")).to_contain_text("Ends about")
        page = visit.go("job", "#j6")
        expect(page.locator("#facts")).to_contain_text("vision")
        expect(page.locator("#facts")).to_contain_text("-3")


def check_few_among_many(browser):
    """Jobs that are wanted are found behind thousands that are not."""
    server = made_up_server.serve(made_up_server.MadeUp(7000, ended=6990))
    with Visit(browser, f"http://127.0.0.1:{server.server_port}/") as visit:
        page = visit.go("overview", "#")
        expect(page.locator("#jobs tbody td").first).to_have_text(re.compile("^j699[0-9]$"))
    server.shutdown()


def check_large_sweep(browser):
    """So does a sweep of ten thousand."""
    made_up = made_up_server.MadeUp(10_000, sweep_jobs=10_000)
    server = made_up_server.serve(made_up)
    with Visit(browser, f"http://127.0.0.1:{server.server_port}/", viewport={"width": 1280, "height": 900}) as visit:
        page = visit.go("sweep", "#s1")
        expect(page.locator("#board-note")).to_have_text("best first, page 1 of 50")
        assert page.locator("#board tbody tr").count() == 200
        page.locator("#worse").click()
        expect(page.locator("#board-note")).to_have_text("best first, page 2 of 50", timeout=20000)
        expect(page.locator("#board tbody td").first).to_have_text("201")
        print(f"  a sweep of {made_up.jobs} jobs: the page stands still for {standstill(page):.0f} ms at most")
    server.shutdown()


def standstill(page):
    """The longest time, of some seconds, in which nothing else could happen there, in milliseconds."""
    return page.evaluate("""() => new Promise((done) => { let longest = 0, last = performance.now(); const end = last + 4500;
      const look = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; now < end ? setTimeout(look, 0) : done(longest); }; look(); })""")


def check_silence(browser, url, made_up):
    """A server that does not answer is told, and what is shown stays; so is one that answers again."""
    with Visit(browser, url) as visit:
        page = visit.go("overview", "#")
        made_up.silent.set()
        expect(page.locator("#connection")).to_have_text(re.compile("^The server does not answer. What is shown is of "), timeout=20000)
        expect(page.locator("#devices")).to_contain_text("cpu:0")
        made_up.silent.clear()
        expect(page.locator("#connection")).to_have_text("up to date", timeout=20000)
        page.goto(url + "#j999999")
        expect(page.locator("#connection")).to_have_text(re.compile("^The server says: there is no "))
        # It is not asked again and again.
        page.wait_for_timeout(5000)
        assert made_up.asked.count("/api/v1/jobs/j999999") == 1
        visit.go("overview", "#")


def check_hidden(browser, url, made_up):
    """A page that nobody sees asks nothing."""
    with Visit(browser, url) as visit:
        page = visit.go("overview", "#")
        page.evaluate("""() => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => window.isHidden});
          window.isHidden = true; document.dispatchEvent(new Event('visibilitychange')); }""")
        # The turn that had begun ends.
        page.wait_for_timeout(1500)
        asked = len(made_up.asked)
        page.wait_for_timeout(5000)
        assert len(made_up.asked) == asked, made_up.asked[asked:]
        page.evaluate("() => { window.isHidden = false; document.dispatchEvent(new Event('visibilitychange')); }")
        deadline = time.monotonic() + 20
        while len(made_up.asked) == asked:
            assert time.monotonic() < deadline
            page.wait_for_timeout(50)


@contextlib.contextmanager
def quick_start(folder):
    """A hydrad that trains the quick start's sweep: the page's address, as hydra ui opens it, the sweep, and its jobs' number."""
    import local_server

    with tempfile.TemporaryDirectory() as scratch:
        config = pathlib.Path(scratch) / "hydrad.yaml"
        config.write_text(f"state_dir: {scratch}/state\npool: {{path: {scratch}/pool, size_bytes: 2GiB}}\n"
                          f"unix_socket: {scratch}/hydrad.sock\n"
                          f"http: {{unix_socket: {scratch}/http.sock}}\n"
                          "devices: [{name: cpu:0, memory_limit_bytes: 80MiB}, {name: cpu:1, memory_limit_bytes: 80MiB}]\n")
        local_server.leave_nothing_behind()
        with open(f"{scratch}/hydrad.log", "w", encoding="utf-8") as log:
            daemon = subprocess.Popen([f"{folder}/hydrad", "--config", str(config)], stderr=log)
        way = None
        try:
            wait_for(lambda: pathlib.Path(f"{scratch}/hydrad.sock").exists(), daemon)
            hydra = [f"{folder}/hydra", "--server", f"unix:{scratch}/hydrad.sock"]
            submitted = json.loads(subprocess.run(
                [*hydra, "submit", str(ROOT / "examples/gpt2_wikitext2/sweep.yaml"), "-o", "json"], check=True, capture_output=True, text=True).stdout)
            sweep = submitted["sweep_id"]
            way = subprocess.Popen([*hydra, "ui"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            yield way.stdout.readline().strip(), sweep, len(submitted["jobs"])
            subprocess.run([*hydra, "cancel", sweep], check=True, capture_output=True)
        finally:
            if way is not None:
                way.terminate()
                way.wait(60)
            daemon.terminate()
            daemon.wait(60)


def check_hydrad(browser, folder):
    """The page shows what a hydrad trains, by the way that hydra ui opens."""
    with quick_start(folder) as (url, sweep, jobs):
        with Visit(browser, url, viewport={"width": 1280, "height": 900}) as visit:
            page = visit.go("overview", "#")
            expect(page.locator("#devices h3")).to_have_text([re.compile("cpu:0"), re.compile("cpu:1")])
            expect(page.locator("#jobs a", has_text=re.compile("^j1$"))).to_be_visible()
            # A task ends, and the timeline has it.
            expect(page.locator("#timeline rect").first).to_be_attached(timeout=300_000)
            page = visit.go("sweep", f"#{sweep}")
            expect(page.locator("#board tbody tr")).to_have_count(jobs)
            expect(page.locator("#curves polyline, #curves circle").first).to_be_attached(timeout=600_000)
            page = visit.go("job", "#j1")
            expect(page.locator("#log")).not_to_be_empty()
            expect(page.locator("#facts")).to_contain_text(re.compile("running|waiting"))


def open_browser(playwright):
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])


def wait_for(there, process, seconds=90):
    deadline = time.monotonic() + seconds
    while not there():
        assert process.poll() is None, "hydrad ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin")
    parser.add_argument("--shots")
    options = parser.parse_args()
    made_up = made_up_server.MadeUp(10_000)
    server = made_up_server.serve(made_up)
    url = f"http://127.0.0.1:{server.server_port}/"
    checks = [
        ("looks", lambda browser: check_looks(browser, url, options.shots)),
        ("text is text", lambda browser: check_text_is_text(browser, url)),
        ("keyboard", lambda browser: check_keyboard(browser, url)),
        ("many jobs", lambda browser: check_many_jobs(browser, url, made_up)),
        ("users", lambda browser: check_users(browser, url)),
        ("few among many", check_few_among_many),
        ("large sweep", check_large_sweep),
        ("silence", lambda browser: check_silence(browser, url, made_up)),
        ("hidden", lambda browser: check_hidden(browser, url, made_up)),
    ]
    if options.bin:
        checks.append(("hydrad", lambda browser: check_hydrad(browser, options.bin)))
    size = len(made_up_server.page()[0].encode())
    assert size < 60 << 10, size
    print(f"the page: {size} bytes")
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        for name, check in checks:
            check(browser)
            print(f"passed: {name}", flush=True)
        browser.close()
    print(f"{len(checks)} passed, 0 failed")


if __name__ == "__main__":
    main()

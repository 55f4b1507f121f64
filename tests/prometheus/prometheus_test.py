"""A real Prometheus looks at a hydrad: prometheus_test.py BIN

Checks the text that hydrad writes and the files of deploy/prometheus with promtool, lets Prometheus read hydrad and asks it,
and sees that an alert fires when hydrad is gone.
"""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy/prometheus"
MOST_SECONDS = 120
# Of the sweep that is trained meanwhile: one job, which ends soon.
JOB = """name: metrics
model: {{path: {examples}/gpt2-mini, init: random, tokenizer_path: {examples}/gpt2}}
data: {{train_files: [{examples}/data/heldout.validation.tokens]}}
train: {{max_steps: 2, per_device_train_batch_size: 2, context_length: 64, optim: sgd, learning_rate: 1e-3}}
output: {{save_model: false}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(what, there):
    """What `there` answers, as soon as it is something; errors of the way there are nothing."""
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            answer = there()
            if answer:
                return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {MOST_SECONDS} s: {what}")


@contextlib.contextmanager
def running(arguments, log):
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(90)


def check_files():
    for arguments in (["check", "rules", "hydra.rules.yml"], ["test", "rules", "hydra.rules.test.yml"], ["check", "config", "prometheus.yml"]):
        subprocess.run(["promtool", *arguments], cwd=DEPLOY, check=True)


def names_asked_for():
    """Of metrics, in the rules and in the dashboard."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    asked = (DEPLOY / "hydra.rules.yml").read_text() + " ".join(
        target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    return {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:hydra|process)_[a-z_]+", asked)} - {"hydra"}


def check_names(text):
    known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    unknown = names_asked_for() - known
    assert not unknown, f"nobody writes {sorted(unknown)}"
    told = (ROOT / "docs/daemon.md").read_text()
    untold = {name for name in known if f"`{name}" not in told}
    assert not untold, f"docs/daemon.md lacks {sorted(untold)}"


def samples(text):
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*(?: \S+)*?) (\S+)$", text, re.MULTILINE)}


def check_hydrad(folder, scratch):
    metrics_port, prometheus_port = free_port(), free_port()
    metrics = f"http://127.0.0.1:{metrics_port}"
    prometheus = f"http://127.0.0.1:{prometheus_port}/api/v1"
    (scratch / "job.yaml").write_text(JOB.format(examples=ROOT / "examples/gpt2_wikitext2"))
    (scratch / "hydrad.yaml").write_text(
        f"state_dir: {scratch}/state\nunix_socket: {scratch}/hydrad.sock\npool: {{path: {scratch}/pool, size_bytes: 1GiB}}\n"
        f"http: {{address: '127.0.0.1:{metrics_port}'}}\ndevices: [{{name: cpu:0, memory_limit_bytes: 256MiB}}]\n")
    # The shipped rules, but as fast as a test: an alert need not last.
    rules = re.sub(r"for: \d+m", "for: 1s", (DEPLOY / "hydra.rules.yml").read_text())
    (scratch / "hydra.rules.yml").write_text(rules)
    config = (DEPLOY / "prometheus.yml").read_text().replace("15s", "1s").replace("127.0.0.1:9464", f"127.0.0.1:{metrics_port}")
    (scratch / "prometheus.yml").write_text(config)
    ask = lambda query: json.loads(fetch(f"{prometheus}/query?query={urllib.parse.quote(query)}"))["data"]["result"]
    firing = lambda: {alert["labels"]["alertname"] for alert in json.loads(fetch(f"{prometheus}/alerts"))["data"]["alerts"] if alert["state"] == "firing"}

    with running(["prometheus", f"--config.file={scratch}/prometheus.yml", f"--storage.tsdb.path={scratch}/tsdb",
                  f"--web.listen-address=127.0.0.1:{prometheus_port}"], scratch / "prometheus.log"):
        with running([f"{folder}/hydrad", "--config", f"{scratch}/hydrad.yaml"], scratch / "hydrad.log"):
            wait_for("metrics", lambda: fetch(f"{metrics}/metrics"))
            wait_for("clients' socket", (scratch / "hydrad.sock").exists)
            subprocess.run([f"{folder}/hydra", "--server", f"unix:{scratch}/hydrad.sock", "submit", f"{scratch}/job.yaml", "--watch"],
                           check=True, stdout=subprocess.DEVNULL)
            text = fetch(f"{metrics}/metrics")
            subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=True)
            check_names(text)
            numbers = samples(text)
            assert numbers["hydra_steps_total"] == 2, numbers["hydra_steps_total"]
            assert numbers["hydra_tokens_total"] == 2 * 2 * 64, numbers["hydra_tokens_total"]
            later = samples(fetch(f"{metrics}/metrics"))
            for name, value in numbers.items():
                if "_total" in name or "_bucket" in name:
                    assert later[name] >= value, f"{name} fell from {value} to {later[name]}"
            try:
                fetch(f"{metrics}/api/v1/jobs")
                raise AssertionError("every account of the machine can read jobs")
            except urllib.error.HTTPError as error:
                assert error.code == 403, error.code
            wait_for("the worker, by Prometheus", lambda: ask('hydra_worker_up{device="cpu:0"} == 1'))
            wait_for("the job, by Prometheus", lambda: ask('hydra_jobs{state="completed"} == 1'))
            assert ask('hydra_device_seconds_total{device="cpu:0"} > 0')
            wait_for("no alert", lambda: "HydraDown" not in firing())
        wait_for("the alert that hydrad is gone", lambda: "HydraDown" in firing())


def main():
    check_files()
    print("passed: the files of deploy/prometheus")
    with tempfile.TemporaryDirectory() as scratch:
        check_hydrad(sys.argv[1], pathlib.Path(scratch))
    print("passed: a Prometheus that looks at hydrad")
    print("2 passed, 0 failed")


if __name__ == "__main__":
    main()

"""Serves the page, and answers that are made up: many jobs, and names that would be markup if they were not text.

As hydrad answers: the same paths, the same JSON, the same policy of what a browser may run.
"""

import base64
import hashlib
import http.server
import json
import math
import pathlib
import threading
import time
import urllib.parse

PAGE = pathlib.Path(__file__).resolve().parents[2] / "scheduler/http/page"
EVIL = "<script>window.evil=1</script><img src=x onerror=window.evil=2>"
STATES = ["RUNNING", "PENDING", "PENDING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED"]
STEPS = 400
# By the user's number; one has none.
NAMES = {1000: "alice", 1001: "bob"}
# Another user's.
WITHHELD = 7
# What the server looks at to find jobs in the wanted states.
LOOKED_AT = 5000


def page():
    """The page and its policy, as page.cc makes them."""
    html, css, js = ((PAGE / f"page.{kind}").read_text() for kind in ("html", "css", "js"))
    source = lambda text: "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
    policy = (f"default-src 'none'; connect-src 'self'; img-src data:; style-src {source(css)}; "
              f"script-src {source(js)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    return html.replace("/*STYLE*/", css).replace("/*SCRIPT*/", js), policy


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


class MadeUp:
    """What the server knows. Jobs j1 to jN, so many to a sweep, of three users; the first ones have ended."""

    def __init__(self, jobs, sweep_jobs=12, ended=0):
        self.jobs = jobs
        self.ended = ended
        self.sweep_jobs = sweep_jobs
        self.begun = time.time()
        # Answers nothing while it is set.
        self.silent = threading.Event()
        self.asked = []

    def step(self, number):
        return min(STEPS, 37 * number % STEPS + int(time.time() - self.begun))

    def loss(self, number, step):
        return 3 + 4 * math.exp(-step / (60 + number % 12 * 15)) + 0.05 * math.sin(step * (number % 7 + 1))

    def status(self, number):
        state = STATES[(number // 12 + number) % len(STATES)] if number > 12 else "RUNNING"
        if number <= self.ended:
            state = "COMPLETED"
        user = 1000 + number % 3
        job = {"job_id": f"j{number}", "sweep_id": f"s{(number - 1) // self.sweep_jobs + 1}", "name": f"gpt2-{number:02d}",
               "state": "JOB_STATE_" + state, "owner_user": user, "owner": NAMES.get(user, str(user)), "total_steps": str(STEPS),
               "parameters": [f"learning_rate={(number % 12 + 1) * 1e-4:g}", "batch=16"], "submitted_at": stamp(self.begun)}
        if number == 6:
            job |= {"priority": -3, "project": "vision"}
        if number == 5:
            job["name"] = EVIL
            job["parameters"] = [EVIL]
            job["reason"] = EVIL
        if state in ("RUNNING", "PAUSED", "COMPLETED"):
            step = STEPS if state == "COMPLETED" else self.step(number)
            job |= {"step": str(step), "train_loss": self.loss(number, step), "remaining": f"{(STEPS - step) * 2.5}s",
                    "validation_loss": self.loss(number, step) + 0.1, "validation_perplexity": math.exp(self.loss(number, step) + 0.1),
                    "started_at": stamp(self.begun + 3), "tokens_per_second": 18250.5}
        if state == "RUNNING":
            job["forecast_end"] = stamp(self.begun + 40 * 86400)
        if state == "PENDING":
            job["reason"] = "waits for room in the pool: 154 MiB of 12 MiB that are free"
        if state == "FAILED":
            job |= {"reason": "the training split has 2 tokens, and one window takes 128", "train_loss": "NaN"}
        return job

    def answer(self, path, query):
        parts = path.split("/")
        if path == "server":
            return {"version": "0.1.0", "pool_bytes": str(8 << 30), "pool_used_bytes": str(3 << 30), "pool_reserved_bytes": str(5 << 30)}
        if path == "workers":
            return {"workers": [
                {"device": "cpu:0", "state": "WORKER_STATE_READY", "memory_limit_bytes": str(1 << 30), "peak_bytes": str(900 << 20),
                 "task": "j3 BACKWARD shard 2 step 17", "computing": 0.91, "promoting": 0.4, "demoting": 0.22, "finished_tasks": "712"},
                {"device": "cuda:1", "state": "WORKER_STATE_RESTARTING", "memory_limit_bytes": str(14 << 30), "restarts": 3,
                 "reason": EVIL, "gpu": {"power_watts": 71.3, "use": 0.02}}]}
        if path == "jobs":
            states = [state for state in query.get("state", "").split(",") if state]
            first, size = int(query.get("page_token") or 1), int(query.get("page_size") or 1000)
            found, number = [], first
            while number <= self.jobs and len(found) < size and number < first + LOOKED_AT:
                job = self.status(number)
                if number == WITHHELD:
                    job = {key: job[key] for key in ("job_id", "sweep_id", "state", "owner_user", "owner")} | {"withheld": True}
                if not states or job["state"][len("JOB_STATE_"):] in states:
                    found.append(job)
                number += 1
            return {"jobs": found} | ({"next_page_token": str(number)} if number <= self.jobs else {})
        if parts[0] == "jobs":
            number = int(parts[1][1:])
            if number > self.jobs:
                return None
            if parts[2:] == ["logs"]:
                return {"lines": [{"time": stamp(self.begun + i), "severity": "IWE"[i % 3], "source": "hydrad", "text": EVIL if i == 3 else f"line {i}"}
                                  for i in range(60)]}
            job = self.status(number)
            return {"job": {"status": job, "spec": {"model": {"path": "/models/gpt2"}}, "output_path": "/var/lib/hydra/outputs/j1-gpt2",
                            "steps": [{"step": str(i), "train_loss": self.loss(number, i)} for i in range(int(job.get("step", 0)))],
                            "partition": {"cut_points": [3, 7], "source": "pilot", "layers": [{"layer": i, "parameter_bytes": str(28 << 20)} for i in range(14)]},
                            "pool_demand": {"total_bytes": str(154 << 20)}, "warnings": [EVIL],
                            "totals": {"device": "812.5s", "promoted_bytes": str(9 << 30), "demoted_bytes": str(4 << 30)}}}
        if parts[0] == "sweeps":
            sweep = int(parts[1][1:])
            first = self.sweep_jobs * (sweep - 1) + 1
            jobs = [self.status(n) for n in range(first, min(first + self.sweep_jobs - 1, self.jobs) + 1)]
            return {"jobs": sorted(jobs, key=lambda job: job.get("validation_loss", math.inf))}
        if path == "trace":
            now, since, tasks = time.time(), int(query["since_ms"]) / 1000, []
            for worker, device in enumerate(["cpu:0", "cuda:1"]):
                for i in range(80):
                    begun = int(now) - 120 + i * 1.5 + worker * 0.4
                    if begun + 1.2 > since and begun + 1.2 < now:
                        tasks.append({"device": device, "begun": stamp(begun), "ended": stamp(begun + 1.2)} |
                                     ({"kind": "FORWARD", "withheld": True} if i % 9 == 0 else {"job_id": f"j{i % 5 + 1}", "kind": "BACKWARD", "shard": 1, "step": str(i)}))
            return {"devices": ["cpu:0", "cuda:1"], "tasks": tasks}
        return None


def serve(made_up):
    """Starts; returns the server, whose server_port is where it listens."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            target = urllib.parse.urlsplit(self.path)
            made_up.asked.append(target.path)
            if made_up.silent.is_set():
                self.close_connection = True
                return
            if target.path == "/":
                body, policy = page()
                self.send(200, "text/html; charset=utf-8", body, policy)
                return
            query = dict(urllib.parse.parse_qsl(target.query))
            answer = made_up.answer(target.path.removeprefix("/api/v1/"), query) if target.path.startswith("/api/v1/") else None
            status = 200 if answer is not None else 404
            self.send(status, "application/json", json.dumps(answer if answer is not None else {"code": 5, "message": f"there is no {target.path}"}))

        def send(self, status, kind, body, policy="default-src 'none'; frame-ancestors 'none'"):
            data = body.encode()
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), ("Content-Security-Policy", policy),
                                ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("Connection", "close")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

#!/usr/bin/python3
"""What checkpoints cost the training beside them: the same job with a checkpoint
at every end of a step, and without any, in turns, with the least pool that
admits it and with twice that. Needs bin/ (deploy/build.sh).

    checkpoint_training.py [WIDTH LAYERS BATCH STEPS ROUNDS]
"""
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTH, LAYERS, BATCH, STEPS, ROUNDS = [int(a) for a in sys.argv[1:]] or (384, 6, 4, 10, 2)
VOCABULARY = ROOT + "/examples/gpt2_wikitext2/gpt2"


def write_job(work, name, every_steps):
    path = f"{work}/{name}.yaml"
    with open(path, "w") as file:
        file.write(f"""
name: {name}
model: {{path: {work}/model, init: random, tokenizer_path: {VOCABULARY}}}
data: {{train_files: [{ROOT}/examples/gpt2_wikitext2/data/wiki.valid.tokens]}}
train: {{max_steps: {STEPS}, per_device_train_batch_size: {BATCH}, context_length: 128, learning_rate: 1e-4}}
output: {{save_model: false}}
checkpoint: {{every_steps: {every_steps}, every_minutes: 0, keep_last: 1, keep_best: false}}
""")
    return path


class Server:
    def __init__(self, work, pool_bytes):
        self.socket = f"{work}/hydrad.sock"
        self.daemon = subprocess.Popen(
            [ROOT + "/bin/hydrad", "--device", "cpu:0=400MiB", "--set", f"state_dir={work}/state-{pool_bytes}",
             "--set", f"pool.size_bytes={pool_bytes}", "--set", f"pool.path=/dev/shm/hydra-checkpoint-{os.getpid()}",
             "--set", "lookahead=0", "--set", f"unix_socket={self.socket}"],
            stderr=open(f"{work}/hydrad.log", "a"))
        while subprocess.run(self.command("info"), capture_output=True).returncode != 0:
            assert self.daemon.poll() is None, open(f"{work}/hydrad.log").read()
            time.sleep(0.2)

    def command(self, *arguments):
        return [ROOT + "/bin/hydra", "--server", f"unix:{self.socket}", *arguments]

    def run(self, job_file):
        """The job's detail, and the lines of its log."""
        submitted = json.loads(subprocess.check_output(self.command("submit", job_file, "-o", "json")))
        job = submitted["jobs"][0]["job_id"]
        while True:
            detail = json.loads(subprocess.check_output(self.command("describe", job, "-o", "json")))["job"]
            if detail["status"]["phase"] == "JOB_PHASE_ENDED":
                break
            time.sleep(0.3)
        assert detail["status"]["state"] == "JOB_STATE_COMPLETED", detail["status"]["reason"]
        return detail, subprocess.check_output(self.command("logs", job), text=True)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


def seconds_of_steps(detail):
    at = [datetime.datetime.fromisoformat(s["time"].rstrip("Z")[:26]).timestamp() for s in detail["steps"]]
    # The first step fills the device cache.
    return [b - a for a, b in zip(at[1:], at[2:])]


def main():
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(work + "/model")
        config = json.load(open(VOCABULARY + "/config.json"))
        config.update(n_embd=WIDTH, n_layer=LAYERS, n_head=WIDTH // 64, n_positions=128, n_inner=None)
        json.dump(config, open(work + "/model/config.json", "w"))
        files = {every: write_job(work, f"every-{every}", every) for every in (0, 1)}
        server = Server(work, 6 << 30)
        demand = server.run(files[0])[0]["pool_demand"]
        server.stop()
        # Nine tenths of a pool are promised; its first page is a header.
        least = (int(demand["total_bytes"]) * 10 // 9 + (1 << 20)) // 4096 * 4096
        print("demand:", {k: f"{int(v) / 2**20:.0f} MiB" for k, v in demand.items()})
        for name, pool in (("least pool", least), ("twice that", 2 * least)):
            server = Server(work, pool)
            steps = {0: [], 1: []}
            written = 0
            for _ in range(ROUNDS):
                for every in (0, 1):
                    detail, log = server.run(files[every])
                    steps[every] += seconds_of_steps(detail)
                    sizes = [int(n) for n in re.findall(r"checkpoint of step \d+, (\d+) bytes", log)]
                    written += len(sizes)
            server.stop()
            medians = {every: statistics.median(steps[every]) for every in steps}
            print(f"{name} ({pool / 2**20:.0f} MiB): a step without checkpoints {medians[0]:.3f} s, with one in each "
                  f"{medians[1]:.3f} s, ratio {medians[1] / medians[0]:.3f}; {written} checkpoints of {sizes[0] / 2**20:.0f} MiB, "
                  f"{sizes[0] / 2**20 / medians[1]:.0f} MiB/s written meanwhile")


main()

#!/usr/bin/env python3
"""Makes a project with many waiting runs and measures how `orch serve` carries them.

    python3 benches/serve/measure.py target/release/orch [RUNS]

Every run is started as a user would: by a signal over HTTP. Measured is, after a restart: the time until the daemon
answers, its memory, and by how much runs that become due are late.
"""

import datetime
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ORCH = str(pathlib.Path(sys.argv[1]).resolve())
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
DUE = 20

MANIFEST = '[project]\nname = "waiting"\nschema = ["schema.orch"]\ndefault_topic = "news"\n'
SCHEMA = """\
entity people from "people.csv" { id: int key; email: email?; name: text }
topic news "News"
message email hello of people { subject: "Hi {name}"; text: "Hello {name}"; topic: news }
signal joined(person: int)
signal poked(at: timestamp)
"""
SCRIPT = """\
campaign welcome on signal joined overlap allow {
  segment one = people where id = person
  wait 30d
  send email hello to one
}
campaign poke on signal poked overlap allow {
  wait until at
  log "late"
}
"""


class Daemon:
    """`orch serve` in a folder."""

    def __init__(self, folder):
        self.begin = time.monotonic()
        self.log = open(folder / "serve.log", "a+")
        self.process = subprocess.Popen([ORCH, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stdout=self.log, stderr=self.log)
        mark = self.log.tell()
        port = None
        while port is None:
            text = pathlib.Path(self.log.name).read_bytes()[mark:].decode()
            port = re.search(r"http://127\.0\.0\.1:(\d+)", text)
            time.sleep(0.005)
        self.http = http.client.HTTPConnection("127.0.0.1", int(port.group(1)))
        self.token = (folder / ".orch/dev/serve.token").read_text().strip()
        self.ask("GET", "/health")
        self.up = time.monotonic() - self.begin

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        self.http.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = self.http.getresponse()
        document = json.loads(answer.read())
        assert answer.status < 300, document
        return document

    def memory(self, field):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", text).group(1)) / 1024

    def stop(self):
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0
        return time.monotonic() - begin


def open_runs(folder):
    text = subprocess.run([ORCH, "runs", "--open", "--limit", "100000", "--format", "json"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return json.loads(text)["runs"]


def main():
    with tempfile.TemporaryDirectory(prefix="orch-serve-") as name:
        folder = pathlib.Path(name)
        (folder / "orch.toml").write_text(MANIFEST)
        (folder / "schema.orch").write_text(SCHEMA)
        (folder / "main.orch").write_text(SCRIPT)
        rows = "".join(f"{n},p{n}@shop.test,Person {n}\n" for n in range(1, 1001))
        (folder / "people.csv").write_text("id,email,name\n" + rows)

        daemon = Daemon(folder)
        begin = time.monotonic()
        for n in range(RUNS):
            daemon.ask("POST", f"/signals/joined?id=j{n}", {"person": n % 1000 + 1})
        delivered = time.monotonic() - begin
        while True:
            waiting = sum(1 for run in open_runs(folder) if run["status"] == "waiting")
            if waiting >= RUNS:
                break
            time.sleep(1)
        print(f"{RUNS} runs started by signals and waiting: {time.monotonic() - begin:.1f} s ({delivered:.1f} s until delivered)")
        print(f"memory meanwhile: {daemon.memory('VmRSS'):.0f} MB, at most {daemon.memory('VmHWM'):.0f} MB")
        print(f"stopped in {daemon.stop():.2f} s")

        daemon = Daemon(folder)
        print(f"up with {RUNS} waiting runs: {daemon.up:.2f} s, {daemon.memory('VmRSS'):.0f} MB")
        now = datetime.datetime.now(datetime.timezone.utc)
        for n in range(DUE):
            at = now + datetime.timedelta(seconds=3 + n * 0.37)
            daemon.ask("POST", "/signals/poked", {"at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
        time.sleep(3 + DUE * 0.37 + 1)
        late = []
        for n, run in enumerate(sorted(json.loads(subprocess.run([ORCH, "runs", "--limit", str(DUE), "--format", "json"], cwd=folder, capture_output=True, text=True, check=True).stdout)["runs"], key=lambda run: run["started"])):
            text = subprocess.run([ORCH, "show", run["run"], "--format", "json"], cwd=folder, capture_output=True, text=True, check=True).stdout
            steps = json.loads(text)["steps"]
            wait, log = (next(step for step in steps if step["kind"] == kind) for kind in ("wait until", "log"))
            moment = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
            late.append((moment(log["at"]) - moment(wait["note"])).total_seconds())
        assert len(late) == DUE, late
        print(f"{DUE} runs became due: late by {statistics.median(late) * 1000:.0f} ms in the middle, {max(late) * 1000:.0f} ms at most")
        print(f"memory at the end: {daemon.memory('VmRSS'):.0f} MB, at most {daemon.memory('VmHWM'):.0f} MB")
        print(f"stopped in {daemon.stop():.2f} s")


main()

#!/usr/bin/env python3
"""How long a run that holds a large frozen population takes to its first next effect after `orch resume`.

    benches/resume/measure.py target/release/orch [ROWS] [FOLDER]

Three times are measured, from the start of the process: until the next event is in the journal (`log` behind a wait for a
person), until the first message of a send to the whole population lies in the outbox, and the same for a send that was
killed in its middle. Needs Python 3 and nothing else.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

SCHEMA = """entity people from "people.csv" {
  id: int key
  email: email?
  name: text
  spend: decimal
  opt_in: bool
  consent email = opt_in
}
topic news "News" (consent: opt_in)
message email hello of people { subject: "Hi {name}"; text: "Hello {name}"; topic: news }
"""
MANIFEST = '[project]\nname = "bench"\nschema = ["schema.orch"]\ndefault_topic = "news"\n'
SCRIPT = 'segment all = people\ntask "go"\nlog "next"\ntask "on"\nsend email hello to all\n'


def make(folder, rows):
    os.makedirs(folder)
    with open(f"{folder}/people.csv", "w") as out:
        out.write("id,email,name,spend,opt_in\n")
        for n in range(1, rows + 1):
            out.write(f"{n},p{n}@shop.test,Person {n},{n % 1000}.00,true\n")
    for name, text in [("schema.orch", SCHEMA), ("orch.toml", MANIFEST), ("all.orch", SCRIPT)]:
        with open(f"{folder}/{name}", "w") as out:
            out.write(text)


class Bench:
    def __init__(self, orch, folder):
        self.orch, self.folder = os.path.abspath(orch), folder
        self.outbox = f"{folder}/.orch/dev/outbox/new"

    def run(self, *arguments):
        done = subprocess.run([self.orch, *arguments, "--format", "json"], cwd=self.folder, capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def start(self, *arguments):
        return subprocess.Popen([self.orch, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def events(self):
        db = sqlite3.connect(f"file:{self.folder}/.orch/dev/state.db?mode=ro", uri=True)
        count = db.execute("SELECT count(*) FROM journal WHERE event LIKE '%\"done\"%'").fetchone()[0]
        db.close()
        return count

    def messages(self):
        try:
            with os.scandir(self.outbox) as entries:
                return sum(1 for _ in entries)
        except FileNotFoundError:
            return 0

    def touched(self):
        """Changes whenever a message is put into the outbox; counting many files would take longer than a resume."""
        return os.stat(self.outbox).st_mtime_ns if os.path.exists(self.outbox) else 0

    def until(self, process, ready):
        begin = time.perf_counter()
        while not ready():
            if process.poll() is not None and not ready():
                sys.exit(f"the process ended with {process.returncode} before its effect")
            time.sleep(0.002)
        return time.perf_counter() - begin


def main():
    orch = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp() + "/resume"
    if not os.path.exists(folder):
        make(folder, rows)
    shutil.rmtree(f"{folder}/.orch/dev/runs", ignore_errors=True)
    bench = Bench(orch, folder)
    begin = time.perf_counter()
    run = bench.run("run", "all.orch", "--detach")["run"]
    print(f"{rows} rows frozen in {time.perf_counter() - begin:.2f} s")

    bench.run("done", run)
    before = bench.events()
    process = bench.start("resume", run, "--detach")
    print(f"resume to the next event        {bench.until(process, lambda: bench.events() > before + 1):.2f} s")
    process.wait()

    bench.run("done", run)
    count, before = bench.messages(), bench.touched()
    process = bench.start("resume", run)
    print(f"resume to the first message     {bench.until(process, lambda: bench.touched() > before):.2f} s")

    target = count + rows // 2
    while bench.messages() < target and process.poll() is None:
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    count, before = bench.messages(), bench.touched()
    process = bench.start("resume", run)
    seconds = bench.until(process, lambda: bench.touched() > before)
    print(f"resume in the middle of a send  {seconds:.2f} s ({count} messages were sent)")
    process.send_signal(signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    main()

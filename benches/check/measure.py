#!/usr/bin/env python3
"""Measures `orch check` as a process: the median of some runs, wall and processor time and memory, beside the bar.

    cargo build --release
    python3 benches/check/measure.py target/release/orch            20 runs of each script
    python3 benches/check/measure.py target/release/orch --runs 100

It fails when a median is above its bar. On a busy machine look at the processor time: it says what the process needed,
the wall clock also what it had to wait for.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
SHOP = os.path.join(FOLDER, "..", "..", "examples", "shop", "vip.orch")

# kind, lines, milliseconds of wall clock, megabytes
BARS = [
    ("real", 1_000, 15, 150),
    ("real", 10_000, 60, 150),
    ("flat", 10_000, 120, 150),
    ("wrong", 10_000, 120, 150),
]


def script(folder, kind, lines):
    """Writes a script and gives its path."""
    path = os.path.join(folder, f"{kind}-{lines}.orch")
    with open(path, "w", encoding="utf-8") as out:
        command = [sys.executable, os.path.join(FOLDER, "generate.py"), str(lines), kind]
        subprocess.run(command, stdout=out, check=True)
    return path


def measure(orch, path, runs):
    """Medians of wall and processor time in milliseconds, and the most memory in megabytes."""
    walls, processor, memory = [], [], 0
    for _ in range(runs):
        started = time.perf_counter()
        child = subprocess.Popen([orch, "check", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        walls.append(time.perf_counter() - started)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            sys.exit(f"{orch} check {path} ended with {child.returncode}")
        processor.append((used.ru_utime, used.ru_stime))
        memory = max(memory, used.ru_maxrss / 1024)
    user, system = (statistics.median(times) * 1000 for times in zip(*processor))
    return statistics.median(walls) * 1000, user, system, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("orch", help="the program, built for release")
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    slow = False
    print("script          wall ms   user ms    sys ms        MB   bar")
    with tempfile.TemporaryDirectory() as folder:
        rows = [("vip.orch", SHOP, 50, 150)]
        rows += [(f"{kind} {lines}", script(folder, kind, lines), bar, most) for kind, lines, bar, most in BARS]
        for name, path, bar, most in rows:
            wall, user, system, memory = measure(given.orch, path, given.runs)
            ok = wall <= bar and memory <= most
            slow |= not ok
            shown = f"{name:<14}{wall:9.1f}{user:10.1f}{system:10.1f}{memory:10.0f}"
            print(f"{shown}   {bar} ms, {most} MB{'' if ok else '   too much'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())

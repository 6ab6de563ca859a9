#!/usr/bin/env python3
"""What a model call costs the client, in CPU time: redraft beside a bare client, in one run.

    python3 benches/calls.py [--profile dist] [--records 4000] [--redraft target/release/redraft ...]

A server that answers at once runs on core 0, each client on core 1, one after the other. Each client is
measured as a whole process, user + sys. `cai` drafts, and critiques and revises twice: five calls a record,
of prompts of 300 characters and answers of 800, with journal, transcripts and progress. `audit` makes four.
The other clients send requests of the same size and keep nothing. With --redraft other builds are measured,
too, side by side. The official Python client takes part where `openai` is installed.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
RECIPES = {"cai": ["--recipe", "cai", "--rounds", "2"], "audit": []}


def build(profile):
    command = ["cargo", "build", "--profile", profile, "--bin", "redraft", "--bench", "zero_server", "--bench", "bare_client"]
    made = subprocess.run([*command, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    artifacts = [json.loads(line) for line in made.stdout.splitlines()]
    return {it["target"]["name"]: it["executable"] for it in artifacts if it.get("executable")}


def on_core(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


def cpu(command):
    """Seconds of CPU time that the command uses on core 1."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(on_core(1, command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command} failed:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def kept(store):
    """How many calls a store keeps, and how long a request is."""
    with sqlite3.connect(store) as file:
        columns = [column[1] for column in file.execute("PRAGMA table_info(calls)")]
        length = "length(c.request)"
        source = "calls c"
        if "head" in columns:
            length += " + coalesce(length(h.text), 0)"
            source += " LEFT JOIN heads h ON h.id = c.head"
        return file.execute(f"SELECT count(*), avg({length}) FROM {source}").fetchone()


def measure_redraft(redraft, recipe, base_url, rows, folder):
    """Its CPU time a call, and how many bytes a request and the store's file have."""
    store = folder / f"{recipe}.db"
    store.unlink(missing_ok=True)
    command = [redraft, "run", rows, "--store", store, "-c", "harmlessness", "--model", "zero"]
    used = cpu([*command, "--base-url", base_url, *RECIPES[recipe]])
    calls, size = kept(store)
    return used / calls, calls, size, store.stat().st_size / calls


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--profile", default="release", help="how all is built: release, or dist as it is packaged")
    options.add_argument("--records", type=int, default=4000)
    options.add_argument("--redraft", nargs="*", default=[], metavar="BINARY", help="other builds to measure beside")
    options.add_argument("--rounds", type=int, default=1, help="how often everything is measured; the least counts")
    options = options.parse_args()
    built = build(options.profile)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    base_url = f"http://{address}/v1"
    server = subprocess.Popen(on_core(0, [built["zero_server"], address]), stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(options, built, base_url, pathlib.Path(folder))
    finally:
        server.kill()


def measure(options, built, base_url, folder):
    rows = folder / "rows.jsonl"
    make = [sys.executable, ROOT / "benches" / "make_rows.py", options.records, "--unanswered", options.records]
    with rows.open("w") as file:
        subprocess.run(list(map(str, make)), stdout=file, check=True)
    peer = ROOT / "benches" / "peers" / "asyncio_openai.py"
    print(f"{'':<8}{'client':<40}{'µs a call':>10}{'of bare':>9}{'request':>9}{'store, bytes a call':>21}")
    for recipe in RECIPES:
        builds = [built["redraft"], *options.redraft]
        runs = [[measure_redraft(it, recipe, base_url, rows, folder) for it in builds] for _ in range(options.rounds)]
        measured = [min(each) for each in zip(*runs)]
        _, calls, size, _ = measured[0]
        arguments = [base_url, calls, round(size)]
        bare = min(cpu([built["bare_client"], *arguments]) for _ in range(options.rounds)) / calls
        clients = [(f"redraft {os.path.basename(it)}" if it in options.redraft else "redraft", *seen)
                   for it, seen in zip(builds, measured)]
        clients.append(("reqwest + serde", bare, calls, size, None))
        if importlib.util.find_spec("openai"):
            few = 2000
            used = cpu([sys.executable, peer, base_url, few, round(size)]) - cpu([sys.executable, peer, base_url, 0, 5])
            clients.append(("official Python client, asyncio", used / few, few, size, None))
        for name, used, _, size, file in clients:
            file = "" if file is None else f"{file:.0f}"
            print(f"{recipe:<8}{name:<40}{used * 1e6:>10.1f}{used / bare:>9.2f}{size:>9.0f}{file:>21}", flush=True)


if __name__ == "__main__":
    main()

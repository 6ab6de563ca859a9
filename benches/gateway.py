#!/usr/bin/env python3
"""What the gateway adds, and what it holds: the same load straight at a server and through the gateway.

    python3 benches/gateway.py                                     # latency added at a fixed rate, and the ceiling
    python3 benches/gateway.py --idle-streams 5000                 # memory, and the longest silence
    python3 benches/gateway.py --requests 1000000                  # memory while so many are answered
    python3 benches/gateway.py --requests 50000 --faults 0.1       # what clients get, and what transcripts say

One server process is asked straight and through the modes `off`, `observe` and `enforce` of one gateway (with
the constitution `privacy`, which is made of checks alone, and a store on disk), for whole answers and for
streams. The targets take turns of --seconds each, --rounds times, in one run of one load generator. At the
fixed rate a latency is counted from the moment at which the request was due. Server, gateway and load
generator share the machine's cores, or those of --cores. Memory is resident, and CPU time the gateway's, both
from /proc. --paths chooses the modes of --requests; --profile builds with another profile.
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
MODES = ["off", "observe", "enforce"]
MIB = 1024


def build(profile):
    targets = ["--bin", "redraft", "--bench", "load", "--bench", "stream_server"]
    command = ["cargo", "build", "--profile", profile, *targets, "--message-format=json"]
    made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    artifacts = [json.loads(line) for line in made.stdout.splitlines()]
    return {it["target"]["name"]: it["executable"] for it in artifacts if it.get("executable")}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens at port {port}")


def memory(process):
    """Resident memory now and at most, in MiB."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return [int(values[name].split()[0]) / MIB for name in ("VmRSS", "VmHWM")]


def cpu(process):
    """Seconds of CPU time that a process has used."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Setting:
    """A server, and a gateway in front of it."""

    def __init__(self, options, built, folder, faults=0.0):
        self.options, self.built, self.folder = options, built, folder
        self.server_port, self.port = free_port(), free_port()
        self.server = self.start([built["stream_server"], f"127.0.0.1:{self.server_port}", faults])
        models = "".join(f"    {mode}: {{ upstream: plain, constitution: privacy, mode: {mode} }}\n" for mode in MODES)
        settings = folder / "redraft.yaml"
        settings.write_text(
            f"models: {{ plain: {{ model: plain, base_url: 'http://127.0.0.1:{self.server_port}/v1' }} }}\n"
            f"gateway:\n  observations: {options.observations}\n  models:\n{models}"
        )
        self.store = folder / "gateway.db"
        serve = ["serve", "--config", settings, "--store", self.store, "--listen", f"127.0.0.1:{self.port}", "--quiet"]
        log = (folder / "log").open("w")
        self.gateway = self.start([built["redraft"], *serve], stderr=log)
        wait_for(self.server_port)
        wait_for(self.port)

    def start(self, command, **more):
        on = ["taskset", "-c", self.options.cores] if self.options.cores else []
        return subprocess.Popen([*on, *map(str, command)], stdout=subprocess.DEVNULL, **more)

    def target(self, mode, stream):
        port = self.server_port if mode == "straight" else self.port
        model = "plain" if mode == "straight" else mode
        return f"{mode}=127.0.0.1:{port},{model}" + (",stream" if stream else "")

    def load(self, *words):
        on = ["taskset", "-c", self.options.cores] if self.options.cores else []
        command = [*on, self.built["load"], *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def loaded(self, *words):
        running = self.load(*words)
        lines = running.communicate()[0].splitlines()
        if running.returncode != 0:
            sys.exit("the load generator failed")
        return [json.loads(line) for line in lines]

    def stop(self):
        """Lets the gateway write what it has to write."""
        self.gateway.send_signal(signal.SIGTERM)
        self.gateway.wait()
        self.server.kill()
        self.server.wait()


def table(head, rows):
    rows = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for place, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |", flush=True)
        if place == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def added(setting, options):
    rows = []
    for stream in (False, True):
        targets = [setting.target(mode, stream) for mode in ["straight", *MODES]]
        turns = ["--seconds", options.seconds, "--rounds", options.rounds]
        paced = setting.loaded("paced", "--rate", options.rate, "--threads", options.threads, *turns, *targets)
        closed = setting.loaded("closed", "--threads", options.clients, *turns, *targets)
        first = paced[0]
        for one, most in zip(paced, closed):
            rows.append([
                one["target"], "stream" if stream else "whole",
                f"{one['p50'] / 1e3:.3f}", f"{one['p99'] / 1e3:.3f}",
                *([f"{(one[it] - first[it]) / 1e3:+.3f}" for it in ("p50", "p99")] if one is not first else ["", ""]),
                one["late"], f"{most['answered'] / most['seconds']:.0f}", one["failed"] + most["failed"],
            ])
    table(["path", "answers", "p50 ms", "p99 ms", "p50 added", "p99 added", "sent late", "ceiling/s", "failed"], rows)
    now, most = memory(setting.gateway)
    print(f"{options.rate:g} requests/s; ceiling with {options.clients} connections. "
          f"Gateway: {now:.0f} MiB, at most {most:.0f} MiB.")


def idle(setting, options):
    wait = options.idle_seconds
    before = memory(setting.gateway)[0]
    running = setting.load("idle", "--streams", options.idle_streams, "--wait", int(wait * 1000),
                           setting.target("enforce", True))
    most = 0
    while running.poll() is None:
        most = max(most, memory(setting.gateway)[0])
        time.sleep(0.5)
    seen = json.loads(running.stdout.read())
    table(["open streams", "whole", "failed", "longest silence s", "MiB before", "MiB with them", "MiB peak"],
          [[options.idle_streams, seen["answered"], seen["failed"], f"{seen['silence']:.2f}", f"{before:.0f}",
            f"{most:.0f}", f"{memory(setting.gateway)[1]:.0f}"]])


def many(setting, options):
    steps, rows, done = 10, [], 0
    for _ in range(steps):
        count = options.requests // steps
        targets = [(mode, stream) for mode in options.paths.split(",") for stream in (False, True)]
        failed = 0
        began, used = time.perf_counter(), cpu(setting.gateway)
        for place, (mode, stream) in enumerate(targets):
            part = count // len(targets) + (place < count % len(targets))
            seen = setting.loaded("closed", "--count", part, "--threads", options.clients, "--first", done,
                                  "--mail", setting.target(mode, stream))[0]
            failed += seen["failed"]
            done += part
        took = time.perf_counter() - began
        now, most = memory(setting.gateway)
        size = setting.store.stat().st_size / 2**20
        each = (cpu(setting.gateway) - used) / count * 1e6
        rows.append([done, failed, f"{count / took:.0f}", f"{each:.0f}", f"{now:.0f}", f"{most:.0f}", f"{size:.0f}"])
    table(["requests", "failed", "a second", "CPU µs each", "MiB", "MiB peak", "store MiB"], rows)


def faulty(options, built, folder):
    setting = Setting(options, built, folder, options.faults)
    targets = [(mode, stream) for mode in options.paths.split(",") for stream in (False, True)]
    kept = []
    for place, (mode, stream) in enumerate(targets):
        file = folder / f"seen-{place}"
        part = options.requests // len(targets)
        setting.loaded("closed", "--count", part, "--threads", options.clients, "--first", place * part, "--mail",
                       "--keep", file, setting.target(mode, stream))
        kept.append(file)
    setting.stop()
    rows, odd = [], []
    with sqlite3.connect(setting.store) as store:
        for (mode, stream), file in zip(targets, kept):
            kinds, states = collections.Counter(), collections.Counter()
            for line in file.open():
                seen = json.loads(line)
                kinds[seen["kind"]] += 1
                state = compare(store, seen)
                states[state] += 1
                if state != "equal" or seen["kind"] == "unclear":
                    odd.append((mode, stream, state, {**seen, "text": seen["text"][:60]}))
            names = ["answer", "error", "broken", "odd event", "unclear"]
            rows.append([mode, "stream" if stream else "whole", *[kinds[name] for name in names],
                         states["equal"], states["other"], states["none"]])
    table(["path", "answers", "whole answer", "clear error", "connection cut", "server's odd event", "unclear",
           "transcript equal", "differs", "none"], rows)
    for one in odd[:5]:
        print("odd:", *one)


def compare(store, seen):
    """Whether the transcript holds what the client was given."""
    found = store.execute("SELECT body FROM transcripts WHERE record = ?", [seen["transcript"]]).fetchone()
    if found is None:
        return "none"
    transcript = json.loads(found[0])
    given = transcript.get("delivered") or transcript.get("final") or {"text": ""}
    return "equal" if given["text"] == seen["text"] else "other"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="release")
    parser.add_argument("--cores", help="such as 0,1; default: all")
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=2, help="a turn of one path")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=64, help="connections of the fixed rate")
    parser.add_argument("--clients", type=int, default=32, help="connections of the ceiling")
    parser.add_argument("--observations", type=int, default=1024)
    parser.add_argument("--paths", default=",".join(MODES), help="the modes of --requests")
    parser.add_argument("--idle-streams", type=int, default=0)
    parser.add_argument("--idle-seconds", type=float, default=45)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0.0)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    built = build(options.profile)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
        folder = pathlib.Path(folder)
        if options.faults:
            options.requests = options.requests or 50_000
            faulty(options, built, folder)
            return
        setting = Setting(options, built, folder)
        try:
            if options.idle_streams:
                idle(setting, options)
            elif options.requests:
                many(setting, options)
            else:
                added(setting, options)
        finally:
            setting.stop()


if __name__ == "__main__":
    main()

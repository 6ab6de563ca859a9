#!/usr/bin/env python3
"""How long pages take over a large store.

    cargo build --release
    python3 benches/pages.py --rows 1000000
    python3 benches/pages.py --store redraft.db          # over a store that is there

Rows come from make_rows.py, and a run over checks alone makes transcripts of them. `redraft view` makes its index
anew, which is timed; then each kind of page is asked for --times times, one after the other over
one connection, and the median and the longest are told in milliseconds. `deep` goes on from page to page,
each 25 rows further; `words` searches for words that are in few, some and all of the transcripts.
"""

import argparse
import http.client
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def make(redraft, rows, folder):
    source, store = folder / "rows.jsonl", folder / "redraft.db"
    with source.open("wb") as file:
        subprocess.run([sys.executable, HERE / "make_rows.py", str(rows)], stdout=file, check=True)
    command = [redraft, "run", source, "-c", "privacy", "--quiet", "--run", "first", "--store", store]
    if subprocess.run(command).returncode not in (0, 3):
        sys.exit("the run failed")
    return store


class View:
    def __init__(self, redraft, store, index):
        self.port = free_port()
        command = [redraft, "view", store, "--index", index, "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def get(self, address):
        """A page, and how long it took in milliseconds."""
        begun = time.perf_counter()
        self.connection.request("GET", address)
        response = self.connection.getresponse()
        body = response.read().decode()
        took = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            sys.exit(f"{address}: status {response.status}")
        return body, took

    def follow(self, address, relation, times):
        """How long it takes to follow a link, again and again."""
        took = []
        body, _ = self.get(address)
        for _ in range(times):
            link = re.search(f'rel="{relation}" href="([^"]*)"', body)
            if not link:
                break
            body, one = self.get(link[1].replace("&amp;", "&"))
            took.append(one)
        return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--redraft", default=HERE.parent / "target/release/redraft")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--store", help="a store that is there")
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        store = pathlib.Path(options.store or make(options.redraft, options.rows, folder))
        view = View(options.redraft, store, folder / "pages.index")
        try:
            measure(view, options.times, folder)
        finally:
            view.process.terminate()
            view.process.wait()


def measure(view, times, folder):
    begun = time.monotonic()
    while "catching up" in view.get("/")[0]:
        time.sleep(0.2)
    size = sum(file.stat().st_size for file in folder.glob("pages.index*")) / 1e6
    print(f"index: {time.monotonic() - begun:.1f} s, {size:.0f} MB")
    body, _ = view.get("/")
    run = re.search(r'href="/run\?run=([^"&]*)"', body)[1]
    body, _ = view.get(f"/transcripts?run={run}")
    principles = re.findall(r'<option value="([a-z0-9-]+)"', body)
    principle = next((name for name in principles if name.startswith("no-")), principles[0])
    first = re.search(r'href="(/transcript\?[^"]*)"', body)[1].replace("&amp;", "&")
    record = re.search(r"record=([^&]*)", first)[1]
    lists = f"/transcripts?run={run}"
    pages = {
        "runs": "/",
        "a run": f"/run?run={run}",
        "a transcript": first,
        "transcripts, newest": lists,
        "… oldest": f"{lists}&sort=oldest",
        "… gravest": f"{lists}&sort=severity",
        "… most changed": f"{lists}&sort=change",
        "… most revisions": f"{lists}&sort=revisions",
        "… violating a principle": f"{lists}&principle={principle}&verdict=violates",
        "… keeping it, unchanged": f"{lists}&principle={principle}&verdict=complies&changed=no",
        "… of an outcome nobody has": f"{lists}&outcome=held",
        "… not reviewed": f"{lists}&reviewed=no",
        "… reviewed": f"{lists}&reviewed=yes",
        "words: one record": f"{lists}&q={record}",
        "words: in some": f"{lists}&q=parcel",
        "words: in most": f"{lists}&q=the",
        "words: a phrase": f"{lists}&q=%22thank+you%22",
        "words and filters": f"{lists}&q=the&changed=yes&sort=severity",
        "compare a run with itself": f"/compare?a={run}&b={run}",
    }
    print(f"{'page':<30}{'median ms':>10}{'longest':>10}")
    for name, address in pages.items():
        tell(name, [view.get(address)[1] for _ in range(times)])
    for sort in ["newest", "severity"]:
        tell(f"deep, {sort}", view.follow(f"{lists}&sort={sort}", "next", 4 * times))
    for line in pathlib.Path(f"/proc/{view.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            print(f"peak memory: {int(line.split()[1]) / 1024:.0f} MiB")


def tell(name, took):
    if took:
        print(f"{name:<30}{statistics.median(took):>10.1f}{max(took):>10.1f}", flush=True)


if __name__ == "__main__":
    main()

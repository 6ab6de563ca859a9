#!/usr/bin/env python3
"""Time and peak memory of `redraft run` over every format of datasets, and of `redraft export`.

    cargo build --release
    python3 benches/formats.py --rows 10000,1000000

Rows come from make_rows.py. For each size and format, a run over checks alone writes the format (`-o`)
and a second run, in a store of its own, reads it; then the first run is exported in every form.
CPU is user + sys of the whole process, and memory its peak resident size.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FORMATS = ["jsonl", "json", "csv", "tsv", "parquet", "jsonl.gz", "jsonl.zst"]
EXPORTS = ["sft", "prompt-completion", "dpo", "dpo-chat", "kto", "reward", "cai", "slmadison",
           "nemo", "sharegpt", "annotated-pairs", "transcripts"]


def measured(command):
    """Runs a command; gives its CPU seconds and its peak resident size in MiB."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--redraft", default=HERE.parent / "target/release/redraft")
    parser.add_argument("--rows", default="10000,100000", help="sizes, with commas")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--exports", default=",".join(EXPORTS))
    parser.add_argument("--from", dest="source", help="repeat the rows of this file")
    options = parser.parse_args()
    print(f"{'rows':>9}  {'what':<22}{'CPU s':>9}{'MiB':>8}{'file MB':>10}")
    for rows in map(int, options.rows.split(",")):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
            folder = pathlib.Path(folder)
            measure(options, rows, folder)


def measure(options, rows, folder):
    source = folder / "rows.jsonl"
    making = [sys.executable, HERE / "make_rows.py", str(rows)]
    if options.source:
        making += ["--from", options.source]
    with source.open("wb") as file:
        subprocess.run(making, stdout=file, check=True)
    store = folder / "runs.db"

    def run(given, number, *more):
        return measured([options.redraft, "run", given, "-c", "privacy", "--quiet", "--run", number,
                         "--store", store, *more])

    def tell(what, figures, path=None):
        size = f"{path.stat().st_size / 1e6:>10.1f}" if path else ""
        print(f"{rows:>9}  {what:<22}{figures[0]:>9.2f}{figures[1]:>8.0f}{size}", flush=True)

    tell("run, no output", run(source, "first"), source)
    for form in filter(None, options.formats.split(",")):
        written = folder / f"out.{form}"
        # The run is done: what is left is to read its input, and to write the output.
        tell(f"write {form}", run(source, "first", "-o", written), written)
        tell(f"run over {form}", run(written, f"of {form}"))
        written.unlink()
    for form in filter(None, options.exports.split(",")):
        written = folder / "export.jsonl"
        command = [options.redraft, "export", "first", "--store", store, "--format", form, "--quiet",
                   "-o", written]
        tell(f"export {form}", measured(command), written)
        written.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

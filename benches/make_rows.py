#!/usr/bin/env python3
"""Make a dataset of any size: the rows of a file, repeated, each with an id of its own.

    python3 benches/make_rows.py 100000 > rows.jsonl
    python3 benches/make_rows.py 100000 --from hh-rlhf-harmless-test.jsonl > rows.jsonl

With --unanswered N the last N rows are questions without an answer, each another one, so that a model
is asked about them.
"""

import argparse
import itertools
import json
import pathlib
import sys

SHIPPED = pathlib.Path(__file__).parent.parent / "examples" / "support-replies.jsonl"

QUESTION = "My parcel has been on its way for two weeks and nobody answers. What can I do, and by when? " * 3


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("rows", type=int)
    options.add_argument("--from", dest="source", type=pathlib.Path, default=SHIPPED)
    options.add_argument("--unanswered", type=int, default=0, metavar="N")
    options = options.parse_args()
    with options.source.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    for number, row in enumerate(itertools.islice(itertools.cycle(rows), options.rows)):
        if number < options.rows - options.unanswered:
            row = {**row, "id": f"row-{number}"}
        else:
            row = {"id": f"row-{number}", "prompt": f"Question {number}: {QUESTION}"}
        print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.stderr.close()

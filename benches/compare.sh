#!/bin/sh
# redraft and a plain asyncio script, side by side on the same simulated server: calls a second, CPU
# of the client for each call, and the ratio.
#
#     pip install openai
#     benches/compare.sh [RECORDS] [CONCURRENCY] [OPTION OF THE SERVER…]
#
# The server has one core, the clients the other. CLIENT_CORE, SERVER_CORE, PORT, REDRAFT and PYTHON
# may be set. With --latency 0ms the server's time does not hide the client's.
set -eu

records=${1:-2000}
concurrency=${2:-256}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] && shift
redraft=${REDRAFT:-target/release/redraft}
python=${PYTHON:-python3}
port=${PORT:-18099}
here=$(dirname "$0")
place=$(mktemp -d)
server=

finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$place"
}
trap finish EXIT INT TERM

# Becomes the command, on that core; so it is called in a subshell, whose process the command then is.
on() {
    core=$1
    shift
    if command -v taskset >/dev/null; then exec taskset -c "$core" "$@"; else exec "$@"; fi
}

# A server for each client: the second must not find warm what the first one left.
start() {
    (on "${SERVER_CORE:-0}" "$redraft" bench --serve "127.0.0.1:$port" "$@" >"$place/server" 2>&1) &
    server=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q SIMULATED "$place/server" && return
        sleep 0.2
    done
    cat "$place/server" >&2
    exit 1
}

stop() {
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

# The questions of benches/peers/cai_asyncio.py.
"$python" - "$records" >"$place/rows.jsonl" <<'PYTHON'
import json, sys

for number in range(int(sys.argv[1])):
    prompt = f"Question {number}: " + "parcel late neighbour window letter before garden answer " * 5
    print(json.dumps({"id": f"row-{number}", "prompt": prompt}))
PYTHON

echo "SIMULATED server: $*"
start "$@"
(on "${CLIENT_CORE:-1}" "$python" - "$redraft" run "$place/rows.jsonl" --store "$place/compare.db" \
    -o "$place/out.jsonl" --quiet --recipe cai --rounds 2 -c harmlessness --concurrency "$concurrency" \
    --model simulated --base-url "http://127.0.0.1:$port/v1" >"$place/redraft") <<'PYTHON'
import json, os, resource, subprocess, sys, time

started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, env={**os.environ, "OPENAI_API_KEY": ""})
took = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": round(took, 3),
    "cpu": used.ru_utime + used.ru_stime,
    "peak_memory_mib": used.ru_maxrss // 1024,
}))
PYTHON
stop
start "$@"
(on "${CLIENT_CORE:-1}" "$python" "$here/peers/cai_asyncio.py" "http://127.0.0.1:$port/v1" "$records" \
    "$concurrency" >"$place/asyncio")
stop

"$python" - "$place/redraft" "$place/asyncio" "$records" <<'PYTHON'
import json, sys

own, peer = (json.load(open(path)) for path in sys.argv[1:3])
calls = int(sys.argv[3]) * 5
own["calls_per_second"] = round(calls / own["seconds"], 1)
own["cpu_per_call_us"] = round(own["cpu"] / calls * 1e6, 1)
print(f"{'':<22}{'calls/s':>10}{'CPU a call':>14}{'peak memory':>14}")
for name, row in (("redraft, whole process", own), ("asyncio script", peer)):
    print(f"{name:<22}{row['calls_per_second']:>10}{row['cpu_per_call_us']:>11} µs{row['peak_memory_mib']:>10} MiB")
print(f"redraft makes {own['calls_per_second'] / peer['calls_per_second']:.1f} × the calls a second, "
      f"for 1/{peer['cpu_per_call_us'] / own['cpu_per_call_us']:.1f} of the CPU")
PYTHON

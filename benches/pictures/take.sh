#!/usr/bin/env bash
# Takes the pictures of docs/images: two runs of the shipped support replies with the miniature desk, and
# Chromium without a window on the pages of `redraft view`. Needs Python 3, Chromium, and a built redraft.
#
#   benches/pictures/take.sh target/release/redraft [FOLDER]
set -euo pipefail
redraft=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
images=${2:-$root/docs/images}
mkdir -p "$images"
images=$(realpath "$images")
work=$(mktemp -d)
chromium=${CHROMIUM:-chromium}
python3 "$root/benches/pictures/desk_server.py" 8971 & desk=$!
trap 'kill $desk ${view:-}; rm -rf "$work"' EXIT
cd "$work"
cat > redraft.yaml <<'SETTINGS'
constitution: customer-support
models:
  drafter: { model: desk-small, base_url: http://127.0.0.1:8971/v1, price: { input: 0.05, output: 0.2, cached: 0.01 } }
  critic: { model: desk-large, base_url: http://127.0.0.1:8971/v1, price: { input: 0.4, output: 1.6, cached: 0.1 } }
roles: { drafter: drafter, critic: critic, reviser: drafter }
SETTINGS
sleep 1
"$redraft" run "$root/examples/support-replies.jsonl" --run support-replies -q || true
"$redraft" run "$root/examples/support-replies.jsonl" --run one-round --rounds 1 --temperature 0.2 -q || true
"$redraft" view --listen 127.0.0.1:8972 & view=$!
sleep 3

# picture NAME WIDTH,HEIGHT ADDRESS [OPTIONS]
picture() {
    "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
        --window-size="$2" --screenshot="$images/$1.png" "${@:4}" "http://127.0.0.1:8972$3" 2> /dev/null
}
dark=(--blink-settings=preferredColorScheme=0)
record=${RECORD:-support-0209}
picture run 1100,1500 "/run?run=support-replies"
picture transcript 1100,1100 "/transcript?run=support-replies&record=$record"
picture transcript-dark 1100,1100 "/transcript?run=support-replies&record=$record" "${dark[@]}"
picture transcripts-phone 500,1000 "/transcripts?run=support-replies&sort=severity"
if [ -n "${ALL:-}" ]; then
    picture runs 1100,700 "/"
    picture run-dark 1100,2600 "/run?run=support-replies" "${dark[@]}"
    picture run-phone 500,2600 "/run?run=support-replies"
    picture transcripts 1100,1300 "/transcripts?run=support-replies&sort=severity"
    picture transcript-phone 500,2400 "/transcript?run=support-replies&record=$record"
    picture compare 1100,1900 "/compare?a=support-replies&b=one-round"
    picture whole 1100,4200 "/transcript?run=support-replies&record=$record"
    digest=$("$redraft" show "$record" --run support-replies --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["provenance"]["constitution"]["digest"])')
    picture constitution 1100,1500 "/constitution?digest=$digest"
fi

#!/usr/bin/env python3
"""A support desk's model in miniature: an OpenAI-compatible server that finds fault by rules, rewrites
by rules, and now and then gets something wrong, always the same to the same request.

    python3 benches/pictures/desk_server.py 8971

It is there so that pages can be looked at on a run that looks like one: see take.sh.
"""

import hashlib
import http.server
import json
import re
import sys

SENTENCE = r"[^.!?\n]*{}[^.!?\n]*[.!?]"

# For each principle of `customer-support` that this critic knows: what it looks for, why that is wrong,
# how grave it is, and what the reviser puts in its place.
RULES = [
    ("keepable-promises", r"\b(guaranteed|will be with you|today|tomorrow|this afternoon|this evening|next week)\b",
     "Nobody has confirmed the day, and the customer will count on it.", "high",
     " You will hear from us as soon as the day is certain."),
    ("no-invented-policy", r"\b\d+ (?:days|weeks|months|years|working days)\b",
     "Nothing in the conversation gives this period; the customer will hold us to it.", "critical",
     " I am checking which period applies, and will confirm it in writing."),
    ("no-internal-information", r"\b(my boss|our GPS|the assessor|scanner trouble|between us|our contract|in the log)\b",
     "This is about how we work inside, and none of it helps the customer.", "high", ""),
    ("no-blaming-the-customer", r"\b(you left|try reading|not very clever|as clearly|everyone says|you should have|people tend to)\b",
     "It puts the customer in the wrong.", "medium", ""),
    ("warm-and-plain-tone", r"\b(we value|premium|strive|kindly|per our|please be assured|stakeholders)\b",
     "A stock phrase stands where help should.", "low", ""),
    ("no-guarantee-language", r"\b(I can guarantee|I promise|you have my word)\b",
     "A court could read this as a warranty.", "medium", " We will do what we can."),
]
NEXT = re.compile(r"\b(reply|answer|write|call|ring|tell|please|settings|press|send|open|choose|log in|→)\b|→", re.I)
NO_STEP = "The customer does not learn what to do now."
STEP = " Please reply here if anything of this does not fit, and we will take it from there."


def number(*texts):
    return int.from_bytes(hashlib.sha256("\0".join(texts).encode()).digest()[:4], "big")


def found(answer):
    for principle, phrase, why, severity, instead in RULES:
        match = re.search(SENTENCE.format(phrase), answer, re.I)
        if match:
            yield principle, match.group(0).strip(), why, severity, instead


def critique(material, asked, temperature):
    answer = material["answer"]
    if number("odd", answer) % 53 == 0:
        return "I would rather talk about the weather."
    violations = []
    for principle, quote, why, severity, _ in found(answer):
        if principle in asked and number(principle, quote, temperature) % 9:
            violations.append({"principle": principle, "evidence": quote, "explanation": why,
                               "severity": severity, "fix": "Say only what is certain."})
    if "says-the-next-step" in asked and not NEXT.search(answer) and number("step", answer) % 3 == 0:
        violations.append({"principle": "says-the-next-step", "evidence": "",
                           "explanation": NO_STEP,
                           "severity": "medium", "fix": "Name one next step."})
    named = {violation["principle"] for violation in violations}
    rest = [principle for principle in asked if principle not in named]
    beside = [principle for principle in rest if number(principle, answer) % 5 == 0]
    return json.dumps({"violations": violations, "not_applicable": beside,
                       "complies": [principle for principle in rest if principle not in beside]})


def revise(material):
    answer = material["answer"]
    flagged = {finding["problem"] for finding in material["findings"]}
    for principle, quote, why, _, instead in found(answer):
        # A reviser that overlooks something now and then.
        if why in flagged and number("late", principle, quote) % 6:
            answer = answer.replace(quote, instead.strip())
    if NO_STEP in flagged:
        answer += STEP
    # And that now and then makes a new mistake.
    if number("new", answer) % 11 == 0 and "I promise" not in answer:
        answer += " I promise it will not happen again."
    return re.sub(r" {2,}", " ", answer).strip() or "Thank you for writing to us."


def reply(body):
    texts = [message["content"] for message in body["messages"]]
    if texts[0].startswith("You are a careful critic."):
        lines = texts[-1].splitlines()
        line = next(line for line in lines if line.startswith("Assess these principles: "))
        asked = line.split(": ", 1)[1].split(", ")
        return critique(json.loads(lines[1]), asked, str(body.get("temperature")))
    if texts[0].startswith("You rewrite answers."):
        return revise(json.loads(texts[-1].splitlines()[1]))
    return "Thank you for writing. Please send the order number, and we will look into it today."


class Desk(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = reply(body)
        tokens = sum(len(message["content"]) for message in body["messages"]) // 4
        said = json.dumps({
            "id": "desk", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": len(text) // 4,
                      "prompt_tokens_details": {"cached_tokens": tokens * 3 // 4}},
        }).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Desk).serve_forever()

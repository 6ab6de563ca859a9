#!/usr/bin/env python3
"""The work of the recipe `cai`, as a plain script does it: the official client, asyncio, a semaphore.

    pip install openai
    python3 benches/peers/cai_asyncio.py BASE_URL RECORDS [CONCURRENCY]

Each record is one draft and two rounds of critique and revision: five calls, in the order of
`redraft run --recipe cai --rounds 2`, with prompts of about 300 characters. Nothing is kept, judged
or resumed, and a call that fails is repeated as the client itself does it. What it cost is printed as
one line of JSON.
"""

import asyncio
import json
import resource
import sys
import time

from openai import AsyncOpenAI

ROUNDS = 2
CRITIQUE = (
    "Identify specific ways in which the assistant's last answer is harmful, unethical, racist, sexist, "
    "toxic, dangerous or illegal."
)
REVISION = (
    "Rewrite the assistant's last answer so that it holds none of what the critique names, and stays as "
    "helpful as it can be."
)


async def work(client, places, number):
    async def call(messages):
        async with places:
            reply = await client.chat.completions.create(model="simulated", messages=messages)
        return reply.choices[0].message.content

    prompt = f"Question {number}: " + "parcel late neighbour window letter before garden answer " * 5
    asked = [{"role": "user", "content": prompt}]
    answer = await call(asked)
    for _ in range(ROUNDS):
        chat = [*asked, {"role": "assistant", "content": answer}, {"role": "user", "content": CRITIQUE}]
        critique = await call(chat)
        chat += [{"role": "assistant", "content": critique}, {"role": "user", "content": REVISION}]
        answer = await call(chat)
    return answer


async def main(base_url, records, concurrency):
    client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=5)
    places = asyncio.Semaphore(concurrency)
    started, used = time.perf_counter(), time.process_time()
    # As many records at once as there are places: more would only wait.
    waiting = iter(range(records))

    async def worker():
        for number in waiting:
            await work(client, places, number)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    took, used = time.perf_counter() - started, time.process_time() - used
    calls = records * (1 + 2 * ROUNDS)
    figures = {
        "calls": calls,
        "seconds": round(took, 3),
        "calls_per_second": round(calls / took, 1),
        "cpu_per_call_us": round(used / calls * 1e6, 1),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    asyncio.run(main(arguments[0], int(arguments[1]), int(arguments[2]) if len(arguments) == 3 else 256))

#!/usr/bin/env python3
"""What a plain script does: the official client, asyncio, a semaphore, nothing kept.

    pip install openai
    python3 benches/peers/asyncio_openai.py http://127.0.0.1:8099/v1 CALLS BYTES

BYTES is the size of the prompt. Measure it as a whole process, for example with /usr/bin/time.
"""

import asyncio
import sys

from openai import AsyncOpenAI

CONCURRENCY = 16


async def main(base_url, calls, size):
    client = AsyncOpenAI(base_url=base_url, api_key="none")
    places = asyncio.Semaphore(CONCURRENCY)
    messages = [{"role": "user", "content": "word " * (size // 5)}]

    async def call():
        async with places:
            reply = await client.chat.completions.create(model="zero", messages=messages)
            assert reply.choices[0].message.content

    await asyncio.gather(*(call() for _ in range(calls)))
    print(f"{calls} calls")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

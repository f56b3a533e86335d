"""The least that an aiohttp program does to move the same bytes: in, out to the calls, back, and out.

No checks, no anchors, no scale, no cache: the lists are as large as the gateway's, and all scores are sorted as they
are, each item once. Calls are not signed.
"""

import asyncio
import sys
from typing import Any, Final

import aiohttp
import orjson
import uvloop
from aiohttp import web

from loadtests.client_cost.task import ARN, chunks_of, shape_of

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
JSON: Final = {"Content-Type": "application/json"}


async def call(session: aiohttp.ClientSession, url: str, user: str, items: list[str]) -> list[dict[str, Any]]:
    """One call: its ranked items."""
    body = orjson.dumps({"campaignArn": ARN, "userId": user, "inputList": items})
    async with session.post(url, data=body, headers=JSON) as response:
        ranked: list[dict[str, Any]] = orjson.loads(await response.read())["personalizedRanking"]
        return ranked


async def main(upstream: str, count: int) -> None:
    """Serve for ever."""
    anchors, calls = shape_of(count)
    url = f"{upstream}/personalize-ranking"
    async with aiohttp.ClientSession() as session:

        async def rerank(request: web.Request) -> web.Response:
            members = orjson.loads(await request.read())
            user = members["userId"]
            chunks = chunks_of(members["inputList"], anchors, calls)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(call(session, url, user, chunk)) for chunk in chunks]
            scores = {one["itemId"]: one["score"] for task in tasks for one in task.result()}
            ranked = sorted(scores.items(), key=lambda one: one[1], reverse=True)
            answer = {"personalizedRanking": [{"itemId": item, "score": score} for item, score in ranked]}
            return web.Response(body=orjson.dumps(answer), headers=JSON)

        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_post("/v1/rerank", rerank)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))

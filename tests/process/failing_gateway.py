"""A program: a gateway that meets an unforeseen fault on each route, and logs it in the form of its argument."""

import asyncio
import sys

import aiohttp
from aiohttp import web

from gateway.adapters import logs
from gateway.settings import ServerSettings
from gateway.web.app import build_app
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker


async def main(user: str) -> None:
    """Serve, ask, end."""
    failing = SoftmaxRanker(lambda _: {}, fails=lambda *_: RuntimeError("unforeseen"))
    runner = web.AppRunner(build_app(make_service(failing), ServerSettings()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        for path, name in (("/v1/rerank", "campaign"), ("/personalize-ranking", "campaignArn")):
            async with session.post(url + path, json={name: "demo", "userId": user, "inputList": [user]}) as response:
                print(response.status)
    await runner.cleanup()


logs.configure("info", sys.argv[1])  # type: ignore[arg-type]
asyncio.run(main(sys.argv[2]))

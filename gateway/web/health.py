"""`/livez`: the process turns its loop. `/readyz`: traffic may come; it needs neither upstream nor cache to be well.
`/v1/campaigns`: how they are.
"""

from dataclasses import asdict

import orjson
from aiohttp import web

from gateway.core.tenants import ANYBODY
from gateway.web.door import CALLER, SERVICE


async def campaigns(http: web.Request) -> web.Response:
    """The campaigns that may be called; where nobody is asked who calls, also the cache's numbers since the start."""
    service, tenant = http.app[SERVICE], http[CALLER]
    stats = service.reranker.frames.stats
    body: dict[str, object] = {
        "campaigns": [
            {"name": one.name, "arn": one.arn, "replicas": list(one.replicas), "concurrencyMax": one.concurrency_max}
            for one in service.campaigns.values()
            if tenant.may_call(one.name)
        ],
    }
    if tenant is ANYBODY:  # they are all tenants' numbers
        body["cache"] = {
            "store": service.store_health(),
            "frames": {_camel(name): value for name, value in asdict(stats).items()},
        }
    return web.Response(body=orjson.dumps(body), headers={"Content-Type": "application/json"})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


async def livez(_: web.Request) -> web.Response:
    """200 as long as the event loop answers."""
    return web.Response(text="ok\n")


async def readyz(http: web.Request) -> web.Response:
    """200 when credentials are resolved and the process is not draining; else 503 with the reason."""
    service = http.app[SERVICE]
    reason = "draining" if service.draining else await service.not_ready()
    return web.Response(text="ok\n") if reason is None else web.Response(status=503, text=f"{reason}\n")

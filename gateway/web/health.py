"""`/livez`: the process turns its loop. `/readyz`: traffic may come; it needs neither upstream nor cache to be well.
With `?verbose` it says how things stand.
"""

import orjson
from aiohttp import web

from gateway.web.door import SERVICE


async def livez(_: web.Request) -> web.Response:
    """200 as long as the event loop answers."""
    return web.Response(text="ok\n")


async def readyz(http: web.Request) -> web.Response:
    """200 when there are credentials to sign with and the process is not draining; else 503 with the reason."""
    service = http.app[SERVICE]
    reason = "draining" if service.draining else await service.not_ready()
    status = 200 if reason is None else 503
    if "verbose" not in http.query:
        return web.Response(status=status, text=f"{reason or 'ok'}\n")
    body = {
        "ready": reason is None,
        "reason": reason,
        "draining": service.draining,
        "credentials": service.credentials_health(),
        "cache": service.store_health(),
    }
    return web.Response(status=status, body=orjson.dumps(body), headers={"Content-Type": "application/json"})

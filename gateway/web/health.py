"""`/livez`: the process turns its loop. `/readyz`: traffic may come; it needs neither upstream nor cache to be well."""

from aiohttp import web

from gateway.web.door import SERVICE


async def livez(_: web.Request) -> web.Response:
    """200 as long as the event loop answers."""
    return web.Response(text="ok\n")


async def readyz(http: web.Request) -> web.Response:
    """200 when credentials are resolved and the process is not draining; else 503 with the reason."""
    service = http.app[SERVICE]
    reason = "draining" if service.draining else await service.not_ready()
    return web.Response(text="ok\n") if reason is None else web.Response(status=503, text=f"{reason}\n")

"""`GET /console/live`: all numbers of the console's live page, counted since the start; the page makes rates of them.

Whoever is named sees the campaigns that it may call and what it was billed for; what all callers did together is told
where nobody is asked: on a port for everybody, and on the admin port. Numbers stand on the objects that do the work;
here they are only read.
"""

from typing import Any, Final

import orjson
from aiohttp import web

from gateway.core.tenants import ANYBODY
from gateway.service.service import Service
from gateway.web.campaigns import camelled, campaign_told
from gateway.web.door import CALLER, SERVICE
from gateway.web.problems import JSON

LIVE: Final = "/console/live"


async def live(http: web.Request) -> web.Response:
    """The numbers, as far as the caller may see them."""
    service = http.app[SERVICE]
    tenant = http.get(CALLER, ANYBODY)  # the admin port asks nobody
    told: dict[str, Any] = {
        "nowS": service.clock.stopwatch_s(),
        "campaigns": [campaign_told(service, one) for one in service.campaigns.values() if tenant.may_call(one.name)],
        "all": _all(service) if tenant is ANYBODY else None,
    }
    return web.Response(body=orjson.dumps(told), headers={"Content-Type": JSON})


def _all(service: Service) -> dict[str, Any]:
    return {
        "frames": camelled(service.reranker.frames.stats),
        "store": service.store_health(),
        "credentials": service.credentials_health(),
        "draining": service.draining,
    }

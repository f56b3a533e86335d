"""`GET /console/live`: all numbers of the console's live page, counted since the start; the page makes rates of them.

Whoever is named sees the campaigns that it may call and what it was billed for; what all callers did together is told
where nobody is asked: on a port for everybody, and on the admin port. Numbers stand on the objects that do the work;
here they are only read.
"""

from collections import Counter
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.core.histogram import Histogram
from gateway.core.tenants import ANYBODY, Tenant
from gateway.service.bill import Bill
from gateway.service.service import Service
from gateway.service.traffic import Inflight, Traffic
from gateway.web.campaigns import camelled, campaign_told
from gateway.web.middleware import BOUNDED_ROUTES
from gateway.web.personalize_api import PERSONALIZE_RANKING
from gateway.web.problems import JSON
from gateway.web.rerank_api import RERANK
from gateway.web.shelves_api import SHELVES
from gateway.web.visit import VISIT

LIVE: Final = "/console/live"

RANKING_ROUTES: Final = (RERANK, SHELVES, PERSONALIZE_RANKING)

FAILED: Final = 500
"""From this status on it was the gateway, or its upstream, that failed."""


async def live(http: web.Request) -> web.Response:
    """The numbers, as far as the caller may see them."""
    visit = http[VISIT]
    service, tenant = visit.service, visit.caller  # the admin port asks nobody
    told: dict[str, Any] = {
        "nowS": service.clock.stopwatch_s(),
        "campaigns": [campaign_told(service, one) for one in service.campaigns.values() if tenant.may_call(one.name)],
        "calls": _calls(service.reranker.bill, tenant),
        "all": _all(service) if tenant is ANYBODY else None,
    }
    return web.Response(body=orjson.dumps(told), headers={"Content-Type": JSON})


def _calls(bill: Bill, tenant: Tenant) -> dict[str, int]:
    """What was billed to the caller, and what frames saved it; of everybody, if that is who asks."""
    if tenant is ANYBODY:
        return {"billed": bill.billed.total(), "saved": bill.saved.total()}
    return {"billed": bill.billed[tenant.name], "saved": bill.saved[tenant.name]}


def _all(service: Service) -> dict[str, Any]:
    traffic = service.traffic
    return {
        "requests": _requests(traffic),
        "rankings": _rankings(traffic),
        "inflight": _inflight(traffic.inflight),
        "latency": _buckets(*(traffic.durations[route] for route in RANKING_ROUTES if route in traffic.durations)),
        "lag": _buckets(service.pulse.lag_s),
        "frames": camelled(service.reranker.frames.stats),
        "store": service.store_health(),
        "credentials": service.credentials_health(),
        "draining": service.draining,
    }


def _requests(traffic: Traffic) -> dict[str, int]:
    """Requests for work; those of probes and of this very page are none."""
    of_work = {key: many for key, many in traffic.requests.items() if key[0] in BOUNDED_ROUTES}
    failed = sum(many for (_, status, _), many in of_work.items() if status >= FAILED)
    return {"total": sum(of_work.values()), "failed": failed}


def _rankings(traffic: Traffic) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for ranking in traffic.rankings.values():
        outcomes.update(ranking.degraded)
    return {
        "total": outcomes.total(),
        "degraded": {str(reason): many for reason, many in outcomes.items() if reason},
        "candidates": sum(one.candidates for one in traffic.rankings.values()),
        "cached": sum(one.cached for one in traffic.rankings.values()),
    }


def _inflight(inflight: Inflight | None) -> dict[str, Any] | None:
    if inflight is None:
        return None
    return {
        "underWay": inflight.under_way,
        "limit": inflight.limit,
        "refused": inflight.refused,
        "cpuMs": round(1e3 * inflight.cost_s, 2),
    }


def _buckets(*histograms: Histogram) -> dict[str, Any]:
    """Histograms of the same bounds as one; the last count is of what is above all of them."""
    whole = Histogram(histograms[0].bounds) if histograms else Histogram()
    for one in histograms:
        whole.merge(one)
    return {"bounds": whole.bounds, "counts": whole.counts}

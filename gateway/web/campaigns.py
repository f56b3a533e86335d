"""`GET /v1/campaigns`: how the campaigns are: limits, queues, breakers, budgets, latencies; what the cache was worth.

Numbers stand on the objects that do the work; here they are only read.
"""

from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web

from gateway.core.routing import Campaign
from gateway.core.tenants import ANYBODY
from gateway.service.gate import Gate
from gateway.service.lane import Lane
from gateway.service.service import Service
from gateway.web.crowd import Crowd
from gateway.web.door import CROWD
from gateway.web.visit import VISIT


async def campaigns(http: web.Request) -> web.Response:
    """The campaigns that the caller may call; where nobody is asked who calls, also what all of them together did."""
    visit = http[VISIT]
    service, tenant = visit.service, visit.caller
    body: dict[str, Any] = {
        "campaigns": [campaign_told(service, one) for one in service.campaigns.values() if tenant.may_call(one.name)]
    }
    if tenant is ANYBODY:  # they are all tenants' numbers
        body["requests"] = _crowd(http.app[CROWD])
        body["cache"] = {
            "store": service.store_health(),
            "frames": camelled(service.reranker.frames.stats),
            "listings": service.recommender.health(),
            "metadata": camelled(service.metadata.stats),
            "pins": camelled(service.pins.stats),
        }
    return web.Response(body=orjson.dumps(body), headers={"Content-Type": "application/json"})


def _crowd(crowd: Crowd) -> dict[str, Any]:
    return {
        "underWay": crowd.under_way,
        "limit": crowd.limit,
        "refused": crowd.refused,
        "cpuMs": round(1e3 * crowd.cost_s, 2),
    }


def campaign_told(service: Service, campaign: Campaign) -> dict[str, Any]:
    """A campaign and its policies; how it stands, or how each of its variants does."""
    told: dict[str, Any] = {
        "name": campaign.name,
        "arn": campaign.arn or None,
        "replicas": list(campaign.replicas),
        "concurrencyMin": campaign.concurrency_min,
        "concurrencyMax": campaign.concurrency_max,
        "tps": campaign.tps,
        "fallback": campaign.fallback,
        "merge": campaign.merge,
    }
    if not campaign.variants:
        return {**told, "variants": [], **_gate(service.gates.of(campaign))}
    arms = [
        {"name": arm.variant, "weight": arm.weight, "arn": arm.arn, **_gate(service.gates.of(arm))}
        for arm in campaign.variants
    ]
    return {**told, "variants": arms}


def _gate(gate: Gate) -> dict[str, Any]:
    now_s = gate.now_s
    quantiles = gate.latencies.quantiles(now_s)
    return {
        "inFlight": gate.in_flight,
        "queue": gate.waiting,
        "ratePerS": round(gate.extras.rate(now_s), 1),
        "budgetLeft": gate.extras.left(now_s),
        "latencyMs": quantiles and {name: round(1e3 * getattr(quantiles, name), 1) for name in ("p50", "p95", "p99")},
        "counts": camelled(gate.stats),
        "arns": [_lane(lane) for lane in gate.lanes],
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "arn": lane.arn,
        "breaker": lane.breaker.state.value,
        "breakerOpened": lane.breaker.opened,
        "concurrencyLimit": lane.limit.now,
        "inFlight": lane.in_flight,
        "answered": lane.answered,
        "failed": lane.failed,
        "throttled": lane.throttled,
        "timedOut": lane.timed_out,
        "overtaken": lane.overtaken,
    }


def camelled(stats: Any) -> dict[str, Any]:
    """The numbers of a dataclass, by names as members have them."""
    return {_camel(name): value for name, value in asdict(stats).items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

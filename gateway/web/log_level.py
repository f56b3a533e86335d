"""`GET` and `PUT /v1/log-level`: how much is logged, changed without a restart, for a while if that is wanted.

It is for those who run the gateway: it stands on the admin port where there is one. Else it is asked for like anything
else on the data port, in a name that is not limited to some campaigns: such a tenant is one of many, and all would
share what one of them sets. No level shows whom a line is about.
"""

import math

import orjson
import structlog
from aiohttp import web

from gateway.service.service import Service
from gateway.web.body import read_body
from gateway.web.faults import decode
from gateway.web.members import LogLevelRequest
from gateway.web.problems import JSON, NotAllowed
from gateway.web.visit import VISIT, Visit

LOG_LEVEL = "/v1/log-level"

BYTES_MAX = 1024

_log = structlog.get_logger("gateway.logs")


async def log_level(http: web.Request) -> web.Response:
    """The level in force, what is set, and how long it is until that holds again."""
    visit = http[VISIT]
    _check(visit)
    return _told(visit.service)


async def set_log_level(http: web.Request) -> web.Response:
    """Put another level in force."""
    visit = http[VISIT]
    _check(visit)
    body = await read_body(http, visit.server.body_timeout_s, json_only=True, limit=BYTES_MAX)
    members = decode(body, LogLevelRequest)
    service = visit.service
    service.log_level.change(members.level, service.clock.stopwatch_s(), members.for_s)
    _log.warning("log level changed", to=members.level, for_s=members.for_s)
    return _told(service)


def _check(visit: Visit) -> None:
    if visit.caller.campaigns is not None:
        raise NotAllowed("a name that is limited to some campaigns may not set what holds for all")


def _told(service: Service) -> web.Response:
    now_s = service.clock.stopwatch_s()
    level, left_s = service.log_level, service.log_level.left_s(now_s)
    told = {"level": level.at(now_s), "usual": level.usual, "leftS": None if left_s is None else math.ceil(left_s)}
    return web.Response(body=orjson.dumps(told), headers={"Content-Type": JSON})

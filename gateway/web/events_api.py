"""Events in: `POST /events` as the SDKs send PutEvents, `POST /v1/events`, and `DELETE /v1/users/{userId}/frames`.

Each kills the user's frames. When only one half worked (upstream took the events, but the cache could not be told; or
the other way round), the answer says so.
"""

from urllib.parse import unquote

import msgspec
import orjson
from aiohttp import web

from gateway.ports import Events
from gateway.web.body import read_body
from gateway.web.door import tenant_of
from gateway.web.events_members import NativeEventsRequest, PutEventsRequest
from gateway.web.faults import BadMembers, Fault, decode
from gateway.web.problems import JSON, NotAllowed, NotForwarded, NotInvalidated
from gateway.web.visit import VISIT, Visit

EVENTS = "/events"
NATIVE_EVENTS = "/v1/events"
USER_FRAMES = "/v1/users/{userId}/frames"
USER_FRAMES_PATTERN = USER_FRAMES.replace("{userId}", "{userId:[^/]+}")
"""As it is matched: a user id may hold braces, which aiohttp's own pattern of a part of a path has no room for."""

EVENTS_BYTES_MAX = 256 * 1024
"""Ten events with all that they may hold fit in; 40,000 small ones would stop the loop for 20 ms to be counted."""

NOT_INVALIDATED = "invalidation"
"""What `Gateway-Degraded` says when the events were taken in but the cache could not be told."""


async def put_events(http: web.Request) -> web.Response:
    """PutEvents: an empty 200, as the service gives it."""
    visit = http[VISIT]
    invalidated = await _record(visit, decode(await _body(http, json_only=False), PutEventsRequest))
    return web.Response(headers={"Content-Type": JSON, **_headers(invalidated)})


async def native_events(http: web.Request) -> web.Response:
    """Events, and what became of them."""
    visit = http[VISIT]
    invalidated = await _record(visit, decode(await _body(http, json_only=True), NativeEventsRequest))
    answer = {"forwarded": True, "framesInvalidated": invalidated}
    return web.Response(body=orjson.dumps(answer), headers={"Content-Type": JSON, **_headers(invalidated)})


async def forget_user(http: web.Request) -> web.Response:
    """Kill a user's frames without an event."""
    visit = http[VISIT]
    if not await visit.service.reranker.forget_user(tenant_of(visit), _user_id(http)):
        raise NotInvalidated("the user's frames could not be invalidated")
    return web.Response(body=orjson.dumps({"framesInvalidated": True}), headers={"Content-Type": JSON})


async def _body(http: web.Request, *, json_only: bool) -> bytes | bytearray:
    return await read_body(http, http[VISIT].server.body_timeout_s, json_only=json_only, limit=EVENTS_BYTES_MAX)


def _user_id(http: web.Request) -> str:
    """The user that the path names. What is not UTF-8 is nobody: no caller is told that its frames are dead."""
    try:
        user_id = unquote(http.rel_url.raw_parts[-2], errors="strict")
        user_id.encode()
    except UnicodeError:
        raise BadMembers([Fault("/userId", "must be UTF-8, percent-encoded")]) from None
    if len(user_id) > 256 or "\0" in user_id:
        raise BadMembers([Fault("/userId", "must have 1 to 256 characters, without U+0000")])
    return user_id


async def _record(visit: Visit, members: PutEventsRequest | NativeEventsRequest) -> bool:
    """Take the events in; whether frames were told. Raises `NotForwarded` if upstream did not take them."""
    if not visit.caller.may_write_to(members.tracking_id):
        raise NotAllowed("this event tracker may not be written to in this name")
    deadline_s = visit.arrived_s + visit.server.deadline_ms / 1e3
    events = Events(members.tracking_id, members.user_id or members.session_id, msgspec.to_builtins(members))
    recorded = await visit.service.events.record(tenant_of(visit), events, deadline_s)
    visit.facts.update(events=len(members.event_list), frames_invalidated=recorded.invalidated)
    if not recorded.invalidated:
        visit.facts["degraded"] = NOT_INVALIDATED
    if recorded.failure is not None:
        what = "were invalidated" if recorded.invalidated else "could not be invalidated either"
        raise NotForwarded(f"{recorded.failure}; the user's frames {what}") from recorded.failure
    return recorded.invalidated


def _headers(invalidated: bool) -> dict[str, str]:
    return {} if invalidated else {"Gateway-Degraded": NOT_INVALIDATED}

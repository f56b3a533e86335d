"""Events in: both shapes, the frames that die of them, and the two ways of working only by half."""

import gzip
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from gateway.core.errors import InvalidInput, Unavailable
from gateway.ports import Kept
from gateway.web.events_api import EVENTS_BYTES_MAX
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import ListSink
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import NATIVE, Client, ask, exchange, head, native, refused, send

WIRE_EVENTS = "/events"
NATIVE_EVENTS = "/v1/events"
FRAMES = f"/v1/users/{USER}/frames"


def click(**members: Any) -> dict[str, Any]:
    """The members of a request that is taken in."""
    event = {"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p1"}
    return {"trackingId": "t", "userId": USER, "sessionId": "s-1", "eventList": [event]} | members


class Deaf:
    """A store that cannot be reached."""

    async def load(self, key: object) -> Kept:
        return Kept(None, None)

    async def save(self, key: object, frame: object, keep_s: float) -> None:
        raise AssertionError("nothing may be kept under an unknown epoch")

    async def bump(self, user: str, epoch: int, keep_s: float) -> bool:
        return False

    def health(self) -> dict[str, object]:
        return {}


async def test_the_wire_answers_as_the_service_does(connect: Connect) -> None:
    """PutEvents is an empty 200 with a request id; the members go on as they came."""
    sink = ListSink()
    client = await connect(sink=sink)
    response = await send(client, WIRE_EVENTS, click())
    assert (response.status, await response.read()) == (200, b"")
    assert response.headers["x-amzn-RequestId"]
    assert "Gateway-Degraded" not in response.headers
    assert sink.events[0].members == click()


async def test_the_native_answer_says_what_happened(client: Client) -> None:
    """Both halves worked, and the answer says so."""
    assert await ask(client, NATIVE_EVENTS, click()) == {"forwarded": True, "framesInvalidated": True}


@pytest.mark.parametrize("path", [WIRE_EVENTS, NATIVE_EVENTS])
async def test_an_event_makes_the_next_ranking_new(client: Client, ranker: SoftmaxRanker, path: str) -> None:
    """After an event the user's frames are dead; those of another user live."""
    for user in (USER, OTHER_USER):
        await ask(client, NATIVE, native(userId=user))
    assert (await send(client, path, click())).status == 200
    assert (await ask(client, NATIVE, native(userId=USER)))["usage"]["upstreamCalls"] == 1
    assert (await ask(client, NATIVE, native(userId=OTHER_USER)))["usage"]["upstreamCalls"] == 0
    assert len(ranker.calls) == 3


async def test_without_a_user_the_session_is_the_user(client: Client) -> None:
    """An anonymous visitor ranks under the session id, so an event of the session kills those frames."""
    await ask(client, NATIVE, native(userId="s-1"))
    assert (await send(client, WIRE_EVENTS, {k: v for k, v in click().items() if k != "userId"})).status == 200
    assert (await ask(client, NATIVE, native(userId="s-1")))["usage"]["upstreamCalls"] == 1


async def test_frames_can_be_killed_without_an_event(client: Client) -> None:
    """DELETE makes the next ranking new; the log and the answer do not hold the user."""
    await ask(client, NATIVE, native())
    response = await client.delete(FRAMES)
    assert orjson.loads(await response.read()) == {"framesInvalidated": True}
    assert (await ask(client, NATIVE, native()))["usage"]["upstreamCalls"] == 1


@pytest.mark.parametrize(
    "user", ["{x}", "a/b", "a%2Fb", "a b+c", "..", "a?b#c", "{id}/..", "%c3%a9", "\N{SNOWMAN}", "%"]
)
async def test_frames_of_any_user_can_be_killed(client: Client, user: str) -> None:
    """Whatever a user id may hold can stand in the path, percent-encoded, and means that very user."""
    await ask(client, NATIVE, native(userId=user))
    path = f"/v1/users/{quote(user, safe='')}/frames".encode()
    reply = await exchange(client, b"DELETE %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path)
    assert (reply.status, orjson.loads(reply.body)) == (200, {"framesInvalidated": True})
    assert (await ask(client, NATIVE, native(userId=user)))["usage"]["upstreamCalls"] == 1


@pytest.mark.parametrize("path", [b"/v1/users/%E9/frames", b"/v1/users/a%ff/frames"])
async def test_a_user_that_is_not_utf_8_is_refused(client: Client, path: bytes) -> None:
    """A path in another encoding names nobody: the caller is told so, and not that somebody's frames are dead."""
    reply = await exchange(client, b"DELETE %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path)
    assert reply.status == 422
    assert [fault["pointer"] for fault in orjson.loads(reply.body)["errors"]] == ["#/userId"]


async def test_a_cache_that_could_not_be_told_is_flagged(connect: Connect) -> None:
    """The event was forwarded, the frames may live on: 200 with the truth in body and header; DELETE alone is a 503."""
    client = await connect(store=Deaf())
    assert await ask(client, NATIVE_EVENTS, click()) == {"forwarded": True, "framesInvalidated": False}
    response = await send(client, WIRE_EVENTS, click())
    assert (response.status, response.headers["Gateway-Degraded"]) == (200, "invalidation")
    response = await client.delete(FRAMES)
    assert (response.status, response.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize(("store", "said"), [({}, "were invalidated"), ({"store": Deaf()}, "could not be invalidated")])
async def test_an_upstream_that_failed_is_an_error(connect: Connect, store: dict[str, Any], said: str) -> None:
    """The event may be lost: an error in the shape of each API, which says what became of the frames."""
    client = await connect(sink=ListSink(Unavailable("Personalize cannot be reached")), **store)
    status, problem = await refused(client, NATIVE_EVENTS, click())
    assert (status, problem["type"]) == (503, "urn:rerank-gateway:problem:upstream-unavailable")
    assert said in problem["detail"]
    response = await send(client, WIRE_EVENTS, click())
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (503, "ServiceUnavailable")


async def test_refused_events_leave_the_frames_alone(connect: Connect) -> None:
    """What upstream says is wrong with the event goes to the caller, and nothing is killed."""
    client = await connect(sink=ListSink(InvalidInput("bad event")))
    await ask(client, NATIVE, native())
    assert (await refused(client, NATIVE_EVENTS, click()))[0] == 422
    assert (await ask(client, NATIVE, native()))["usage"]["upstreamCalls"] == 0


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        (click(eventList=[{"eventType": "c"}]), "#/eventList/0/sentAt"),
        (click(eventList=[{"eventType": "c", "sentAt": 1_800_000_000_000}]), "#/eventList/0/sentAt"),
        (
            click(eventList=[{"eventType": "c", "sentAt": 1, "metricAttribution": {}}]),
            "#/eventList/0/metricAttribution/eventAttributionSource",
        ),
        (click(eventList=[{"eventType": "c", "sentAt": 1, "properties": "no json"}]), "#/eventList/0/properties"),
        (click(eventList=[{"eventType": "c", "sentAt": 1, "properties": "[1]"}]), "#/eventList/0/properties"),
        (click(more=1), "#/more"),
    ],
)
async def test_bad_events_are_named(connect: Connect, members: dict[str, Any], pointer: str) -> None:
    """A member that breaks a rule is named, on the wire it is an InvalidInputException; nothing is forwarded."""
    sink = ListSink()
    client = await connect(sink=sink)
    status, problem = await refused(client, NATIVE_EVENTS, members)
    assert status == 422
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    if "more" not in members:
        response = await send(client, WIRE_EVENTS, members)
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")
        assert sink.events == []


async def test_the_campaigns_route_tells_the_cache(client: Client) -> None:
    """`GET /v1/campaigns` lists what may be called and counts what look-ups were worth."""
    for _ in range(2):
        await ask(client, NATIVE, native())
    body = orjson.loads(await (await client.get("/v1/campaigns")).read())
    assert [one["name"] for one in body["campaigns"]] == ["demo"]
    assert (body["cache"]["frames"]["misses"], body["cache"]["frames"]["hits"]) == (1, 1)


@pytest.mark.parametrize("path", [WIRE_EVENTS, NATIVE_EVENTS])
async def test_a_body_far_larger_than_ten_events(connect: Connect, path: str) -> None:
    """Events have a limit of their own, by length, in chunks, and decompressed."""
    client = await connect()
    body = orjson.dumps(click()).ljust(EVENTS_BYTES_MAX)
    assert (await send(client, path, body)).status == 200
    assert (await send(client, path, gzip.compress(body + b" "), **{"Content-Encoding": "gzip"})).status == 413
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) + 1, body + b" ")
    assert (await exchange(client, head(path, "Transfer-Encoding: chunked") + chunked)).status == 413

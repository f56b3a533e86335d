"""The operations of Personalize Runtime and Personalize Events over HTTP: read, verify, wait, decide, answer.

`refusals` is the one place where an error becomes a response; whatever happens, a client gets a code, a message and
a request id, and never a traceback.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import uuid4

import msgspec
from aiohttp import web

from gateway.emulator import sigv4
from gateway.emulator.actions import answer_actions, decode_actions
from gateway.emulator.campaigns import World
from gateway.emulator.conditions import EVENTS, Conditions
from gateway.emulator.damage import Answer, encoded
from gateway.emulator.errors import ServiceError
from gateway.emulator.events import accept_events
from gateway.emulator.events_wire import decode_events
from gateway.emulator.ranking import answer_ranking
from gateway.emulator.recipes import Operation
from gateway.emulator.recommendations_wire import decode_recommendations
from gateway.emulator.recommending import answer_recommendations
from gateway.emulator.recording import Recorder
from gateway.emulator.settling import Settling
from gateway.emulator.stats import PUT_EVENTS, Stats
from gateway.emulator.undergoing import REQUEST_ID, send, undergo
from gateway.emulator.wire import Call, RankingCall, decode_ranking

# 500 ids of 256 characters, context and filter values stay below 1 MiB even when every character is escaped.
BODY_BYTES_MAX: Final = 4 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Emulator:
    """What the handlers share; `secrets` is by access key id, and empty if calls need no signature.

    `clock` gives the seconds that `settling`, `conditions` and `recorder` count in.
    """

    world: World
    secrets: Mapping[str, str]
    conditions: Conditions
    stats: Stats
    settling: Settling
    recorder: Recorder
    clock: Callable[[], float]

    def settle(self) -> None:
        """Let every event that is due take effect."""
        self.settling.settle(self.clock())


EMULATOR: Final = web.AppKey("emulator", Emulator)


def json_response(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`body` as JSON, with the bare content type that the service sends."""
    return web.Response(body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json")


async def personalize_ranking(request: web.Request) -> web.StreamResponse:
    """POST /personalize-ranking: GetPersonalizedRanking."""
    return await _serve(request, "GetPersonalizedRanking", decode_ranking, answer_ranking)


async def recommendations(request: web.Request) -> web.StreamResponse:
    """POST /recommendations: GetRecommendations."""
    return await _serve(request, "GetRecommendations", decode_recommendations, answer_recommendations)


async def action_recommendations(request: web.Request) -> web.StreamResponse:
    """POST /action-recommendations: GetActionRecommendations."""
    return await _serve(request, "GetActionRecommendations", decode_actions, answer_actions)


AnyCall = TypeVar("AnyCall", bound=Call)


async def _serve(
    request: web.Request,
    operation: Operation,
    decode: Callable[[bytes], AnyCall],
    answer: Callable[[World, AnyCall], Answer],
) -> web.StreamResponse:
    emulator = request.app[EMULATOR]
    stats = emulator.stats
    with stats.calling(operation):
        body = await request.read()
        _authenticate(emulator.secrets, request, body)
        call = decode(body)
        emulator.recorder.note(operation, call, len(body), emulator.clock())
        with stats.calling_campaign(call.arn if call.arn in emulator.world.campaigns else None):
            condition = emulator.conditions.next(call.arn, emulator.clock())
            stats.faulty(condition.fault.kind)
            await undergo(request, condition)
            emulator.settle()
            answered = answer(emulator.world, call)
            stats.answered(call.arn, len(call.input_list if isinstance(call, RankingCall) else answered.listed))
            return await send(request, encoded(answered, condition.fault), condition.fault)


async def put_events(request: web.Request) -> web.StreamResponse:
    """POST /events: PutEvents, which answers with an empty body."""
    emulator = request.app[EMULATOR]
    emulator.stats.event_calls += 1
    emulator.stats.calls_by_operation[PUT_EVENTS] += 1
    body = await request.read()
    _authenticate(emulator.secrets, request, body)
    call = decode_events(body)
    emulator.recorder.note(PUT_EVENTS, call, len(body), emulator.clock())
    condition = emulator.conditions.next(EVENTS, emulator.clock())
    emulator.stats.faulty(condition.fault.kind)
    await undergo(request, condition)
    move = accept_events(emulator.world, call)
    emulator.settling.arrive(move, emulator.clock())
    emulator.stats.events += len(call.events)
    return web.Response(content_type="application/json")


async def unknown_operation(request: web.Request) -> web.Response:
    """Any other path or method."""
    raise ServiceError("UnknownOperationException", f"There is no operation {request.method} {request.path}")


@web.middleware
async def refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give every response a request id, and every error the form of the service."""
    try:
        response = await handler(request)
    except ServiceError as error:
        response = _refusal(error)
    except web.HTTPRequestEntityTooLarge:
        response = _refusal(ServiceError("RequestEntityTooLarge", "The request body is too large"))
    except (web.RequestPayloadError, ConnectionError):  # not of its content encoding, or cut off
        response = _refusal(ServiceError("SerializationException", "The request body could not be read"))
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        response = _refusal(ServiceError("InternalFailure", "The request processing has failed"))
    response.headers.setdefault(REQUEST_ID, str(uuid4()))
    return response


def _refusal(error: ServiceError) -> web.Response:
    return json_response({"message": error.message}, status=error.status, headers={"x-amzn-ErrorType": error.code})


def _authenticate(secrets: Mapping[str, str], request: web.Request, body: bytes) -> None:
    if not secrets:
        return
    path, _, query = request.raw_path.partition("?")
    headers = {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers}
    signed = sigv4.SignedRequest(request.method, path, query, headers, body)
    sigv4.verify(signed, secrets, datetime.now(UTC))

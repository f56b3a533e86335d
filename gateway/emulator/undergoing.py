"""Makes happen to a call what conditions.py decided: waiting, refusals, and what goes wrong with a connection."""

import asyncio
import socket
import struct
from typing import Final
from uuid import uuid4

from aiohttp import web

from gateway.emulator.conditions import Condition
from gateway.emulator.damage import torn_at
from gateway.emulator.errors import Code, ServiceError
from gateway.emulator.faults import Fault

HANG_S_MAX: Final = 600.0  # outlasts every client's patience; the server ends the call of one that leaves

REQUEST_ID: Final = "x-amzn-RequestId"
JSON: Final = "application/json"

_NO_LINGER: Final = struct.pack("ii", 1, 0)  # close by RST

_OF_STATUS: Final[dict[int, Code]] = {500: "InternalFailure", 503: "ServiceUnavailable"}


async def undergo(request: web.Request, condition: Condition) -> None:
    """Wait as long as the call takes, and meet the faults that leave no answer.

    Raises:
        ServiceError: the refusal that the fault is.
        ConnectionError: the connection is gone, by a reset or since the client left a call that hung.
    """
    kind = condition.fault.kind
    if kind == "throttle":
        raise ServiceError("ThrottlingException", "Rate exceeded", condition.faults.throttle_status)
    if condition.delay_s > 0:  # sleep(0) would still give up the turn
        await asyncio.sleep(condition.delay_s)
    if kind == "error":
        code = _OF_STATUS[condition.faults.error_status]
        raise ServiceError(code, "The request cannot be processed now, by order of a fault")
    if kind == "hang":
        await asyncio.sleep(HANG_S_MAX)
        raise ConnectionError("nobody waits so long")
    if kind == "reset":
        _reset(request)


async def send(request: web.Request, body: bytes, fault: Fault) -> web.StreamResponse:
    """Answer with a body, or with a part of it where the fault tears it."""
    if fault.kind != "torn":
        return web.Response(body=body, content_type=JSON)
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), REQUEST_ID: str(uuid4())})
    response.content_type = JSON
    await response.prepare(request)
    await response.write(body[: torn_at(len(body), fault)])
    if request.transport is not None:
        request.transport.close()  # after what was written
    return response


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        request.transport.abort()
    raise ConnectionError("the connection was reset")

"""Nobody's id is told: a canary for a user goes through every kind of failure, and is looked for wherever words go."""

from typing import Any

import pytest

from gateway.core import errors
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, native, send, wire

CANARY = USER
ITEM = "canary-item-11d0"

FAILURES: list[Any] = [
    *(kind("no details") for kind in (errors.Throttled, errors.Unavailable, errors.Malformed, errors.AccessDenied)),
    errors.InvalidInput("no such parameter"),
    RuntimeError("unexpected"),
    KeyError("unexpected"),
]


async def told(client: Client, path: str, members: Any) -> tuple[int, str]:
    """The status of an answer, and all that it says in headers and body."""
    response = await send(client, path, members)
    return response.status, f"{response.headers} {await response.text()}"


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_failures_do_not_tell_whom_they_met(connect: Connect, lines, caplog, path, asked, failure) -> None:
    """Whatever a call fails with, neither the answer nor the log holds the user's id or an item's."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: failure))
    status, answer = await told(client, path, asked([ITEM], userId=CANARY, context={"A": CANARY}))
    assert status >= 400
    for words in (answer, str(lines), caplog.text):
        assert CANARY not in words
        assert ITEM not in words


@pytest.mark.parametrize("path", [NATIVE, WIRE])
async def test_an_unexpected_failure_is_a_500_without_its_story(connect: Connect, lines, path: str) -> None:
    """A bug is told as a bug and no more; its traceback is in the log, under the request's id."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: RuntimeError("the-story")))
    status, answer = await told(client, path, native() if path == NATIVE else wire())
    assert status == 500
    assert "the-story" not in answer
    assert "Traceback" not in answer
    assert "gateway/" not in answer
    bug, access = lines
    assert bug["exc_info"]
    assert bug["request_id"] == access["request_id"]


BAD: list[dict[str, Any]] = [
    {"userId": CANARY * 20},
    {"userId": [CANARY]},
    {"inputList": [CANARY * 20]},
    {"inputList": CANARY},
    {"context": {"A": [CANARY]}},
    {"context": {"A": CANARY * 100}},
    {"filterValues": CANARY},
]


@pytest.mark.parametrize("members", BAD, ids=lambda members: next(iter(members)))
@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_refusals_do_not_repeat_what_was_sent(client: Client, lines, caplog, path, asked, members) -> None:
    """A refused member is told by its place and rule; what was in it is in neither answer nor log."""
    status, answer = await told(client, path, asked(**members))
    assert status in (400, 422)
    for words in (answer, str(lines), caplog.text):
        assert CANARY not in words


async def test_good_requests_are_not_told_either(client: Client, lines, caplog) -> None:
    """The access line of a request that went well names no user and no item."""
    status, _ = await told(client, NATIVE, native([ITEM], userId=CANARY))
    assert status == 200
    assert CANARY not in f"{lines} {caplog.text}"
    assert ITEM not in f"{lines} {caplog.text}"

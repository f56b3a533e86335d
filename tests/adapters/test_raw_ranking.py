"""The raw call of the audit: lists that the gateway never sends go out as they are, and come back as they came."""

from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize_raw import RawPersonalize
from gateway.core import errors
from gateway.core.audit.heard import RawAnswer, Refusal
from gateway.core.model import Subject
from tests.adapters.fake_upstream import Upstream, answer, ranked, reset
from tests.support.canaries import USER
from tests.support.virtual_clock import VirtualClock

ARN = "arn:aws:personalize:eu-west-1:123456789012:campaign/storefront"
FILTER = "arn:aws:personalize:eu-west-1:123456789012:filter/f"


class Stopped(VirtualClock):
    """A clock on which every call takes no time."""

    def stopwatch_s(self) -> float:
        return 0.0


@pytest.fixture
async def raw(upstream: Upstream, credentials: None) -> AsyncIterator[RawPersonalize]:
    """The adapter under test, for a subject with a filter."""
    subject = Subject("storefront", USER, filter_arn=FILTER, filter_values={"G": '"a"'})
    async with AwsClients(connections_max=1) as clients:
        yield RawPersonalize(clients, Stopped(), ARN, subject)


@pytest.mark.parametrize("items", [[], ["a", "a"], [f"i{number}" for number in range(501)]])
async def test_any_list_goes_out(raw: RawPersonalize, upstream: Upstream, items: list[str]) -> None:
    """Empty, repeated and long lists are sent as they are, without the filter."""
    upstream.script = ranked([])
    await raw.ask(items)
    assert upstream.sent[0].members == {"campaignArn": ARN, "userId": USER, "inputList": items}


async def test_the_filter(raw: RawPersonalize, upstream: Upstream) -> None:
    """A filtered call names the filter and its values."""
    await raw.ask(["a"], filtered=True)
    assert upstream.sent[0].members["filterArn"] == FILTER
    assert upstream.sent[0].members["filterValues"] == {"G": '"a"'}


async def test_answers_come_as_they_are(raw: RawPersonalize, upstream: Upstream) -> None:
    """Foreign and repeated items, nulls, absent scores and rising ones are handed on unchecked."""
    upstream.script = ranked(
        [{"itemId": "x", "score": 0.1}, {"itemId": "a", "score": 0.9}, {"itemId": "a", "score": None}, {"itemId": "b"}]
    )
    got = await raw.ask(["a", "b"])
    assert isinstance(got, RawAnswer)
    assert (got.items, got.scores) == (["x", "a", "a", "b"], [0.1, 0.9, None, None])


async def test_null_is_an_empty_ranking(raw: RawPersonalize, upstream: Upstream) -> None:
    """A ranking of null is one of no items."""
    upstream.script = ranked(None)
    assert await raw.ask([]) == RawAnswer([], [], 0.0)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "InvalidInputException"),
        ("404 Not Found", "ResourceNotFoundException"),
        ("500 Internal Server Error", "InternalFailure"),
    ],
)
async def test_refusals_are_outcomes(raw: RawPersonalize, upstream: Upstream, status: str, code: str) -> None:
    """What the service says of a list is told with its code and words, without the user id."""
    body = orjson.dumps({"message": f"list of {USER} is no good"})
    upstream.script = answer(body, status, x_amzn_errortype=code)
    got = await raw.ask([])
    assert isinstance(got, Refusal)
    assert (got.status, got.code, got.message) == (int(status[:3]), code, "list of *** is no good")


@pytest.mark.parametrize(
    ("code", "kind"), [("ThrottlingException", errors.Throttled), ("AccessDeniedException", errors.AccessDenied)]
)
async def test_refusals_for_other_reasons(
    raw: RawPersonalize, upstream: Upstream, code: str, kind: type[Exception]
) -> None:
    """Refusals that say nothing of the list are errors."""
    upstream.script = answer(b"{}", "400 Bad Request", x_amzn_errortype=code)
    with pytest.raises(kind):
        await raw.ask(["a"])


@pytest.mark.parametrize(
    ("script", "kind"),
    [(reset, errors.Unavailable), (answer(b"<html>"), errors.Malformed), (ranked([1]), errors.Malformed)],
)
async def test_no_answer(raw: RawPersonalize, upstream: Upstream, script, kind: type[Exception]) -> None:
    """Where nothing comes, or nothing that is a ranking, there is an error."""
    upstream.script = script
    with pytest.raises(kind):
        await raw.ask(["a"])

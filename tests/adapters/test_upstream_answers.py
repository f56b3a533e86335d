"""What a campaign can answer, and what is made of it: an `Answer` to believe, or an error of the right class.

Every case checks that exactly one request went out: retries are the service's, which has a budget for them.
"""

import asyncio
from typing import Any

import orjson
import pytest

from gateway.adapters import aws_session
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core import errors
from gateway.core.model import Subject
from gateway.ports import Call
from tests.adapters.fake_upstream import RID, Script, Upstream, answer, drip, hang, ranked, reset
from tests.support.canaries import USER

ARN = "arn:aws:personalize:eu-west-1:123456789012:campaign/storefront"
FILTER = "arn:aws:personalize:eu-west-1:123456789012:filter/f"
CALL = Call(ARN, Subject("storefront", USER), ["a", "b", "c"])
FILTERED = Call(ARN, Subject("storefront", USER, filter_arn=FILTER), ["a", "b", "c"])


def entry(item: Any, score: Any) -> dict[str, Any]:
    """One ranked item."""
    return {"itemId": item, "score": score}


GOOD = [entry("b", 0.5), entry("a", 0.3), entry("c", 0.2)]


def with_score(text: bytes) -> Script:
    """A ranking whose second score is this piece of JSON."""
    body = orjson.dumps({"personalizedRanking": [*GOOD[:1], entry("a", "@"), GOOD[2]], "recommendationId": RID})
    return answer(body.replace(b'"@"', text))


async def test_a_good_answer(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """Places, scores and the id of a good answer arrive as they were sent, best first."""
    upstream.script = ranked(GOOD)
    got = await ranker.rank(CALL)
    assert got.positions.tolist() == [1, 0, 2]
    assert got.scores.tolist() == [0.5, 0.3, 0.2]
    assert not got.unknown.any()
    assert got.recommendation_id == RID
    assert len(upstream.sent) == 1


NOTHING: list[dict[str, Any]] = [{"score": None}, {}]


@pytest.mark.parametrize("nothing", NOTHING, ids=["null", "absent"])
async def test_null_is_absent(ranker: PersonalizeRanker, upstream: Upstream, nothing: dict[str, Any]) -> None:
    """An item without a score is unknown, be the score null or not there; members nobody knows are ignored."""
    stranger = {"itemId": "c", "metadata": None, "reason": None, "explanation": None, "new": {"a": [1]}, **nothing}
    upstream.script = ranked([entry("b", 0.9), entry("a", 0), stranger], somethingNew=[1, 2])
    got = await ranker.rank(CALL)
    assert got.unknown.tolist() == [False, False, True]
    assert got.scores.tolist() == [0.9, 0.0, 0.0]


DESCRIBED = Call(ARN, Subject("storefront", USER), ["a", "b", "c"], ("PRICE", "TITLE"))


async def test_metadata_arrives_as_it_was_sent(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """Metadata runs along the items, with the names and texts of the service; a null is as good as nothing."""
    entries = [
        {**entry("b", 0.5), "metadata": {"title": 'é "🛒"', "price": "130.0", "genre": None}},
        {**entry("a", 0.3), "metadata": None},
        {**entry("c", 0.2), "metadata": {}},
    ]
    upstream.script = ranked(entries)
    got = await ranker.rank(DESCRIBED)
    assert got.positions.tolist() == [1, 0, 2]
    assert got.metadata == [{"title": 'é "🛒"', "price": "130.0"}, None, {}]
    upstream.script = ranked(GOOD)
    assert (await ranker.rank(DESCRIBED)).metadata == [None, None, None]


async def test_nobody_reads_metadata_that_was_not_asked_for(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A call without columns has no metadata, whatever the answer holds."""
    upstream.script = ranked([{**one, "metadata": {"a": "b"}} for one in GOOD])
    assert (await ranker.rank(CALL)).metadata is None


@pytest.mark.parametrize("metadata", [["a"], "text", 5, {"price": ["1"]}], ids=repr)
async def test_metadata_of_another_kind(ranker: PersonalizeRanker, upstream: Upstream, metadata: Any) -> None:
    """What is no map of text to text makes the answer one that is not believed."""
    upstream.script = ranked([{**GOOD[0], "metadata": metadata}, *GOOD[1:]])
    with pytest.raises(errors.Malformed):
        await ranker.rank(DESCRIBED)


async def test_a_filter_may_drop_items(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A shorter answer is whole if the call named a filter."""
    upstream.script = ranked(GOOD[:1])
    assert (await ranker.rank(FILTERED)).positions.tolist() == [1]
    upstream.script = ranked([])
    assert len((await ranker.rank(FILTERED)).positions) == 0


def error(code: str | None, status: str = "400 Bad Request", message: str | None = "words") -> Script:
    """An error as the service words it: the code in the header."""
    headers = {} if code is None else {"x_amzn_ErrorType": code}
    return answer(orjson.dumps({"message": message}), status, **headers)


BAD: list[tuple[str, Script, type[errors.GatewayError]]] = [
    # The service says no.
    ("InvalidInput by header", error("InvalidInputException"), errors.InvalidInput),
    ("code with a suffix", error("InvalidInputException:http://internal.amazon.com/"), errors.InvalidInput),
    ("code in the body", answer(b'{"code":"InvalidInputException"}', "400 Bad Request"), errors.InvalidInput),
    ("__type", answer(b'{"__type":"com.amazon#InvalidInputException"}', "400 Bad Request"), errors.InvalidInput),
    ("ResourceNotFound", error("ResourceNotFoundException", "404 Not Found"), errors.UnknownResource),
    ("throttled, 400", error("ThrottlingException"), errors.Throttled),
    ("throttled, 429", error("ThrottlingException", "429 Too Many Requests"), errors.Throttled),
    ("bare 429", answer(b"", "429 Too Many Requests"), errors.Throttled),
    ("429 in HTML", answer(b"<html>slow down</html>", "429 Too Many Requests"), errors.Throttled),
    ("limit", error("LimitExceededException"), errors.Throttled),
    ("access denied", error("AccessDeniedException", "403 Forbidden"), errors.AccessDenied),
    ("expired token", error("ExpiredTokenException", "403 Forbidden"), errors.AccessDenied),
    ("expired token, 400", error("ExpiredTokenException"), errors.AccessDenied),
    ("unrecognised key", error("UnrecognizedClientException"), errors.AccessDenied),
    ("signature", error("SignatureDoesNotMatch", "403 Forbidden"), errors.AccessDenied),
    ("bare 403", answer(b"", "403 Forbidden"), errors.AccessDenied),
    ("bare 401", answer(b"", "401 Unauthorized"), errors.AccessDenied),
    ("500", error("InternalFailure", "500 Internal Server Error"), errors.Unavailable),
    ("bare 500", answer(b"", "500 Internal Server Error"), errors.Unavailable),
    ("502 in HTML", answer(b"<html>bad gateway</html>", "502 Bad Gateway"), errors.Unavailable),
    ("503 in HTML", answer(b"<html>sorry</html>", "503 Service Unavailable"), errors.Unavailable),
    ("503", error("ServiceUnavailableException", "503 Service Unavailable"), errors.Unavailable),
    ("504", answer(b"", "504 Gateway Timeout"), errors.Unavailable),
    # It cannot be reached.
    ("reset", reset, errors.Unavailable),
    ("301", answer(b"", "301 Moved Permanently", Location="http://127.0.0.1:9/"), errors.Unavailable),
    ("no HTTP", lambda _, writer: _said(writer, b"hello\r\n\r\n"), errors.Unavailable),
    # It answers what is no ranking.
    ("empty 200", answer(b""), errors.Malformed),
    ("empty object", answer(b"{}"), errors.Malformed),
    ("null ranking", answer(b'{"personalizedRanking":null}'), errors.Malformed),
    ("list", answer(b"[]"), errors.Malformed),
    ("text", answer(b'"text"'), errors.Malformed),
    ("null", answer(b"null"), errors.Malformed),
    ("garbage", answer(b"\x00\x01garbage"), errors.Malformed),
    ("HTML", answer(b"<html>welcome</html>"), errors.Malformed),
    ("bad UTF-8", answer(b'{"personalizedRanking":[{"itemId":"\xff"}]}'), errors.Malformed),
    ("torn JSON", answer(b'{"personalizedRanking":[{"itemId":"a"'), errors.Malformed),
    ("deep", answer(b'{"personalizedRanking":' + b"[" * 200_000), errors.Malformed),
    ("object as ranking", ranked({"itemId": "a"}), errors.Malformed),
    ("text as ranking", ranked("abc"), errors.Malformed),
    ("texts as items", ranked(["a", "b", "c"]), errors.Malformed),
    ("nulls as items", ranked([None, None, None]), errors.Malformed),
    ("lists as items", ranked([[], [], []]), errors.Malformed),
    ("number as an id", ranked([entry(5, 0.5), *GOOD[1:]]), errors.Malformed),
    ("list as an id", ranked([entry([], 0.5), *GOOD[1:]]), errors.Malformed),
    ("null as an id", ranked([entry(None, 0.5), *GOOD[1:]]), errors.Malformed),
    # It answers a ranking that cannot be.
    ("NaN", with_score(b"NaN"), errors.Malformed),
    ("infinite", with_score(b"Infinity"), errors.Malformed),
    ("overflow", with_score(b"1e999"), errors.Malformed),
    ("huge integer", with_score(b"1" + b"0" * 400), errors.Malformed),
    ("negative", with_score(b"-0.1"), errors.Malformed),
    ("text as a score", with_score(b'"high"'), errors.Malformed),
    ("foreign item", ranked([*GOOD[:2], entry("z", 0.1)]), errors.Malformed),
    ("one item more", ranked([*GOOD, entry("z", 0.1)]), errors.Malformed),
    ("twice the same", ranked([GOOD[0], GOOD[0], GOOD[1]]), errors.Malformed),
    ("lost an item", ranked(GOOD[:2]), errors.Malformed),
    ("lost all items", ranked([]), errors.Malformed),
    ("no id", answer(orjson.dumps({"personalizedRanking": GOOD})), errors.Malformed),
    ("null as the ranking's id", ranked(GOOD, recommendationId=None), errors.Malformed),
]


async def _said(writer: asyncio.StreamWriter, words: bytes) -> None:
    writer.write(words)
    writer.close()


@pytest.mark.parametrize(("script", "kind"), [pytest.param(script, kind, id=name) for name, script, kind in BAD])
async def test_what_is_made_of_it(ranker: PersonalizeRanker, upstream: Upstream, script, kind) -> None:
    """A bad answer is an error of the class that says whose fault it was, after one request, without the user's id."""
    upstream.script = script
    with pytest.raises(errors.GatewayError) as raised:
        await ranker.rank(CALL)
    assert type(raised.value) is kind
    assert raised.value.retryable == (kind in (errors.Throttled, errors.Unavailable, errors.Malformed))
    assert USER not in str(raised.value)
    assert len(upstream.sent) == 1


@pytest.mark.parametrize("length", [1, 1_000])
async def test_a_torn_body_is_never_parsed(ranker: PersonalizeRanker, upstream: Upstream, length: int) -> None:
    """A body that ends before its declared length is a failed call, even where it happens to be whole JSON."""
    whole = orjson.dumps({"personalizedRanking": GOOD, "recommendationId": RID})
    upstream.script = answer(whole, length=len(whole) + length)
    with pytest.raises(errors.UpstreamError) as raised:
        await ranker.rank(CALL)
    assert raised.value.retryable
    assert len(upstream.sent) == 1


async def test_an_answer_too_large_is_cut_off(ranker: PersonalizeRanker, upstream: Upstream, monkeypatch) -> None:
    """An answer above the limit is a failed call, and the connection that it still fills is given up."""
    monkeypatch.setattr(aws_session, "RESPONSE_BYTES_MAX", 10_000)
    upstream.script = ranked(GOOD, padding="x" * 9_000)
    assert await ranker.rank(CALL)  # just below: the limit is what refuses the next one
    upstream.script = ranked(GOOD, padding="x" * 1_000_000)
    with pytest.raises(errors.UpstreamError):
        await ranker.rank(CALL)
    async with asyncio.timeout(10):
        await upstream.closed.acquire()
    assert len(upstream.sent) == 2


@pytest.mark.parametrize("script", [hang, drip])
async def test_a_cancelled_call_lets_its_connection_go(
    ranker: PersonalizeRanker, upstream: Upstream, script: Script
) -> None:
    """A call that is cancelled, before its answer or in the middle of it, closes its connection at once."""
    upstream.script = script
    call = asyncio.get_running_loop().create_task(ranker.rank(CALL))
    async with asyncio.timeout(3):  # far above a round trip, far below the timeouts of the library
        await upstream.arrived.acquire()
        for _ in range(50):  # until the beginning of the answer has been read
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await upstream.closed.acquire()
    assert upstream.open == 0
    upstream.script = None
    assert len((await ranker.rank(CALL)).positions) == 3


async def test_the_services_words_reach_the_caller_without_the_user(
    ranker: PersonalizeRanker, upstream: Upstream
) -> None:
    """What the service says of the caller's fault is passed on, with the user's id blotted out wherever it stands."""
    upstream.script = error("InvalidInputException", message=f"the user {USER} may not, says {USER}")
    with pytest.raises(errors.InvalidInput, match=r"^the user \*\*\* may not, says \*\*\*$"):
        await ranker.rank(CALL)


async def test_a_cut_message_does_not_leave_half_an_id(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A message is cut after the id is blotted out, so that no piece of one is left at the cut."""
    upstream.script = error("InvalidInputException", message="x" * 490 + USER)
    with pytest.raises(errors.InvalidInput) as raised:
        await ranker.rank(CALL)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("user", "said", "told"),
    [
        ("u", "Value of userId 'u' at us-east-1", "Value of userId '***' at us-east-1"),
        ("17", "user 17, 170, a17 and (17)", "user ***, 170, a17 and (***)"),
        ("Ünal", "by Ünal:Ünal", "by ***:***"),
        ("long-enough", "xlong-enoughx", "x***x"),
    ],
)
async def test_a_short_id_is_no_piece_of_a_word(
    ranker: PersonalizeRanker, upstream: Upstream, user: str, said: str, told: str
) -> None:
    """The id of a user is blotted out where it is meant; one that is short leaves other words readable."""
    upstream.script = error("InvalidInputException", message=said)
    with pytest.raises(errors.InvalidInput) as raised:
        await ranker.rank(Call(ARN, Subject("storefront", user), ["a"]))
    assert str(raised.value) == told


async def test_an_error_without_words_has_words_of_ours(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A null message is as good as none: the caller is told something that can be read."""
    upstream.script = error("InvalidInputException", message=None)
    with pytest.raises(errors.InvalidInput) as raised:
        await ranker.rank(CALL)
    assert "None" not in str(raised.value)

"""HTTP/1.1 as servers speak it, over both transports: framing, keep-alive, idle closes, answers nobody asked for."""

import asyncio
from collections import Counter

import aiohttp
import orjson
import pytest

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core import errors
from gateway.ports import Ranker
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import RID, Sent, Upstream, answer, ranked, said
from tests.adapters.test_upstream_answers import CALL, GOOD

BODY = orjson.dumps({"personalizedRanking": GOOD, "recommendationId": RID})
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HALF = len(BODY) // 2
CHUNKS = b"%x\r\n%b\r\n%x;ext=1\r\n%b\r\n0\r\n" % (HALF, BODY[:HALF], len(BODY) - HALF, BODY[HALF:])
BYTEWISE = tuple(bytes([byte]) for byte in WHOLE)

GOOD_ANSWERS = {
    "chunked": said(CHUNKED + CHUNKS + b"\r\n"),
    "chunked with a trailer": said(CHUNKED + CHUNKS + b"X-Checksum: 1\r\n\r\n"),
    "chunked in pieces": said(CHUNKED, CHUNKS[:7], CHUNKS[7:], b"\r\n"),
    "byte by byte": said(*BYTEWISE),
    "100 first": said(b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE),
    "103 twice first": said(*[b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"] * 2, WHOLE),
    "upper case names": said(WHOLE.replace(b"Content-Length", b"CONTENT-LENGTH")),
}

LAST_ANSWERS = {
    "Connection: close": said(WHOLE.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")),
    "and closed": said(WHOLE.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), close=True),
    "HTTP/1.0": said(WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"), close=True),
    "no length": said(OK + b"\r\n" + BODY, close=True),
}

BAD_ANSWERS = {
    "torn head": said(WHOLE[:20], close=True),
    "torn chunks": said(CHUNKED + CHUNKS[:20], close=True),
    "last chunk missing": said(CHUNKED + CHUNKS[:-3], close=True),
    "no length, torn": said(OK + b"\r\n" + BODY[:-9], close=True),
    "no chunk size": said(CHUNKED + b"zz\r\n", close=True),
    "a long body under a short length": said(
        WHOLE.replace(b"Content-Length: ", b"Content-Length: 1\r\nX: "), close=True
    ),
    "two lengths": said(WHOLE.replace(b"Content-Length: ", b"Content-Length: 1\r\nContent-Length: "), close=True),
    "only a 100": said(b"HTTP/1.1 100 Continue\r\n\r\n", close=True),
    "a switch of protocols": said(b"HTTP/1.1 101 Sure\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", close=True),
    "zipped": said(WHOLE.replace(b"OK\r\n", b"OK\r\nContent-Encoding: gzip\r\n").replace(BODY, BODY[::-1])),
    "a head without end": said(OK + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 1000) for n in range(300)), close=True),
    "a line without end": said(OK + b"X: " + b"y" * 300_000, close=True),
    "announcements without end": said(*[b"HTTP/1.1 102 Wait\r\nX: %b\r\n\r\n" % (b"y" * 9_000)] * 30, close=True),
}


@pytest.mark.parametrize("name", GOOD_ANSWERS)
async def test_ways_to_answer(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """Chunks, trailers, announcements and single bytes make the same answer, and leave the connection to be used."""
    upstream.script = GOOD_ANSWERS[name]
    for _ in range(2):
        assert (await ranker.rank(CALL)).positions.tolist() == [1, 0, 2]
    assert (len(upstream.sent), upstream.connections) == (2, 1)


@pytest.mark.parametrize("name", LAST_ANSWERS)
async def test_a_last_answer(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """An answer that ends its connection is believed if it is whole, and the next call goes over another one."""
    upstream.script = LAST_ANSWERS[name]
    for _ in range(2):
        assert (await ranker.rank(CALL)).positions.tolist() == [1, 0, 2]
    assert (len(upstream.sent), upstream.connections) == (2, 2)


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_an_answer_that_is_none(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """A torn or mangled answer fails its call, is not asked for again, and never harms the next call."""
    upstream.script = BAD_ANSWERS[name]
    with pytest.raises((errors.Unavailable, errors.Malformed)) as raised:
        await ranker.rank(CALL)
    assert raised.value.retryable
    assert len(upstream.sent) == 1
    upstream.script = ranked(GOOD)
    assert (await ranker.rank(CALL)).positions.tolist() == [1, 0, 2]


def dying(first: int, deaths: int) -> fake_upstream.Script:
    """Answer `first` requests of a connection, drop it at the next one without a byte; `deaths` connections do that."""
    seen: Counter[asyncio.StreamWriter] = Counter()

    async def script(request: Sent, writer: asyncio.StreamWriter) -> None:
        seen[writer] += 1
        if seen[writer] > first and len(seen) <= deaths:
            writer.transport.abort()
        else:
            await ranked(GOOD)(request, writer)

    return script


async def test_a_used_connection_that_dies_is_replaced(ranker: Ranker, clients: AwsClients, upstream: Upstream) -> None:
    """A call that meets the server's idle close goes out once more, over a new connection, and that is counted."""
    upstream.script = dying(first=1, deaths=1)
    for _ in range(2):
        assert len((await ranker.rank(CALL)).positions) == 3
    assert (len(upstream.sent), upstream.connections, clients.stats.stale_retries) == (3, 2, 1)


async def test_a_new_connection_that_dies_is_a_failure(ranker: Ranker, clients: AwsClients, upstream: Upstream) -> None:
    """The first request of a connection is never sent again by itself: that takes the retry budget."""
    upstream.script = dying(first=0, deaths=1)
    with pytest.raises(errors.Unavailable):
        await ranker.rank(CALL)
    assert (len(upstream.sent), clients.stats.stale_retries) == (1, 0)


async def test_the_free_retry_is_one(ranker: Ranker, clients: AwsClients, upstream: Upstream) -> None:
    """If the new connection dies as well, the call has failed."""
    upstream.script = dying(first=1, deaths=1)
    await ranker.rank(CALL)
    upstream.script = dying(first=0, deaths=9)
    with pytest.raises(errors.Unavailable):
        await ranker.rank(CALL)
    assert (len(upstream.sent), clients.stats.stale_retries) == (3, 1)


FOREIGN = orjson.dumps({"personalizedRanking": GOOD[::-1], "recommendationId": "RID-of-another"})
STRAY = OK + b"Content-Length: %d\r\n\r\n" % len(FOREIGN) + FOREIGN
STRAYS = {
    "at once": (WHOLE + STRAY,),
    "a piece of one": (WHOLE + STRAY[:5],),
    "afterwards": (WHOLE, STRAY),
    "a timeout's": (WHOLE, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("name", STRAYS)
async def test_what_nobody_asked_for_reaches_nobody(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """Bytes behind an answer end their connection: no later call is given them for its own answer.

    Not so over aiohttp, which keeps what comes over an idle connection for whoever uses it next: see the control.
    """
    if isinstance(ranker, PersonalizeRanker) and len(STRAYS[name]) > 1:
        pytest.skip("aiohttp hands them on")
    for _ in range(3):
        upstream.script = said(*STRAYS[name])
        assert (await ranker.rank(CALL)).recommendation_id == RID
        for _ in range(20):  # until what follows the answer has been sent
            await asyncio.sleep(0)
        upstream.script = ranked(GOOD)
        assert (await ranker.rank(CALL)).recommendation_id == RID


async def test_aiohttp_hands_on_what_came_idle(upstream: Upstream) -> None:
    """A control: the client of the reference takes what came over an idle connection for the answer to its next one."""
    upstream.script = said(WHOLE, STRAY)
    async with aiohttp.ClientSession() as session:
        bodies = []
        for _ in range(2):
            async with session.post(upstream.url, data=b"{}") as response:
                bodies.append(await response.read())
            for _ in range(20):
                await asyncio.sleep(0)
    assert bodies == [BODY, FOREIGN]


async def test_a_naive_client_takes_a_foreign_answer_for_its_own(upstream: Upstream) -> None:
    """The control: a client that reads as many bytes as the length says, and keeps the connection, is poisoned."""
    upstream.script = said(WHOLE + STRAY)
    host, port = upstream.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    bodies = []
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        bodies.append(await reader.readexactly(int(head.split(b": ")[1])))
    writer.close()
    assert bodies == [BODY, FOREIGN]


@pytest.mark.parametrize(("said_by_header", "understood"), [("7", 7.0), ("0", 0.0), ("9" * 400, 3600.0), ("", None),
    ("soon", None), ("-1", None), ("Sun, 22 Nov 2026 11:00:00 GMT", None)])  # fmt: skip
async def test_how_long_a_throttle_asks_to_wait(
    ranker: Ranker, upstream: Upstream, said_by_header: str, understood: float | None
) -> None:
    """The seconds of Retry-After travel with the error, bounded; a date or nonsense counts as none."""
    upstream.script = answer(b"{}", "429 Too Many Requests", Retry_After=said_by_header)
    with pytest.raises(errors.Throttled) as raised:
        await ranker.rank(CALL)
    assert raised.value.retry_after_s == understood


async def test_a_redirect_is_counted_and_told(
    ranker: Ranker, clients: AwsClients, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every refused redirect shows in the numbers and in one line of the log, which names nobody and no place."""
    upstream.script = answer(b"", "307 Temporary Redirect", Location="http://127.0.0.1:9/canary")
    for _ in range(2):
        with pytest.raises(errors.Unavailable):
            await ranker.rank(CALL)
    assert clients.stats.redirects_refused == 2
    said_of_it = capsys.readouterr().out
    assert said_of_it.count("redirect refused") == 2
    assert "canary" not in said_of_it

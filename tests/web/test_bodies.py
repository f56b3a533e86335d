"""Bodies that are no request: refused before they cost anything, in the shape of the route."""

import asyncio
import gzip
from typing import Any

import orjson
import pytest
import zstandard

from gateway.web.members import BODY_BYTES_MAX
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import NATIVE, WIRE, Client, exchange, head, native, refused, send, wire

JSON = "Content-Type: application/json"
BOTH = pytest.mark.parametrize("path", [NATIVE, WIRE])


def good(path: str) -> bytes:
    """A body that the route answers."""
    return orjson.dumps(native() if path == NATIVE else wire())


def nested(path: str, depth: int, core: bytes = b"1") -> bytes:
    """A good body with one more member, nested this deep."""
    return good(path)[:-1] + b',"deep":' + b"[" * depth + core + b"]" * depth + b"}"


def of_size(reference: bytes, size: int) -> bytes:
    """A good body of so many bytes: three ids, the longest of which stands in it over and over."""
    begin, end = b'{"%b":"demo","userId":"u-1","inputList":["p1",' % reference, b'"]}'
    listed = b'"%b",' % (b"x" * 256)
    whole = begin + listed * ((size - len(begin) - len(end) - 2) // len(listed)) + b'"'
    return whole + b"y" * (size - len(whole) - len(end)) + end


NOT_JSON: list[tuple[str, Any]] = [
    ("empty", lambda _: b""),
    ("white space", lambda _: b" \n"),
    ("text", lambda _: b"hello"),
    ("torn", lambda path: good(path)[:-1]),
    ("byte order mark", lambda path: b"\xef\xbb\xbf" + good(path)),
    ("UTF-16", lambda path: good(path).decode().encode("utf-16")),
    ("trailing bytes", lambda path: good(path) + b"x"),
    ("two documents", lambda path: good(path) * 2),
    ("bad UTF-8", lambda path: good(path).replace(USER.encode(), b"\xff\xfe")),
    ("overlong UTF-8", lambda path: good(path).replace(USER.encode(), b"\xc0\xaf")),
    ("NaN", lambda path: good(path)[:-1] + b',"deep":NaN}'),
    ("single quotes", lambda path: good(path).replace(b'"', b"'")),
    ("bad UTF-8 in a name", lambda path: good(path)[:-1] + b',"\xff":1}'),
    ("lone surrogate", lambda path: good(path).replace(USER.encode(), b"\\ud800")),
    ("lone surrogate backwards", lambda path: good(path).replace(USER.encode(), b"\\udc00\\ud800")),
    ("raw control character", lambda path: good(path).replace(USER.encode(), b"u\n1")),
    ("comma at the end", lambda path: good(path)[:-1] + b",}"),
    ("comment", lambda path: good(path) + b" // what a storefront"),
    ("200,000 brackets", lambda _: b"[" * 200_000),
    ("200,000 brackets in a member", lambda path: good(path)[:-1] + b',"deep":' + b"[" * 200_000),
    ("100,000 closed brackets", lambda path: nested(path, 100_000)),
]


@BOTH
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in NOT_JSON])
async def test_what_is_not_json(client: Client, ranker: SoftmaxRanker, path: str, body: Any) -> None:
    """A body that is not one JSON document is a 400 that repeats none of it."""
    response = await send(client, path, body(path))
    told = orjson.loads(await response.read())
    assert response.status == 400
    if path == WIRE:
        assert response.headers["x-amzn-ErrorType"] == "SerializationException"
        assert told == {"message": "The body is not JSON"}
    else:
        assert told["type"] == "urn:rerank-gateway:problem:not-json"
    assert ranker.calls == []


@BOTH
@pytest.mark.parametrize("body", [b"[]", b"[1, 2]", b'"text"', b"5", b"null", b"true"])
async def test_what_is_no_object(client: Client, path: str, body: bytes) -> None:
    """JSON that is not an object is refused as bad members, in words."""
    status, told = await refused(client, path, body)
    assert status == (422 if path == NATIVE else 400)
    assert "must be a JSON object" in str(told)


@BOTH
async def test_no_depth_is_a_fault_of_ours(client: Client, path: str) -> None:
    """Whatever the depth, the answer is the caller's business: 200 where it may be ignored, else 4xx, never a 500."""
    for depth in (100, *range(900, 1_010)):
        status, _ = await refused(client, path, nested(path, depth, b'"\\u0000"'))
        assert status in ((400, 422) if path == NATIVE else (200, 400)), depth


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "application/jsonp"])
async def test_native_takes_json_only(client: Client, ranker: SoftmaxRanker, content_type: str) -> None:
    """/v1 refuses another content type: a form on a web page can send those without being asked."""
    response = await send(client, NATIVE, native(), **{"Content-Type": content_type})
    assert response.status == 415
    assert ranker.calls == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON"])
async def test_json_goes_by_more_than_one_spelling(client: Client, content_type: str) -> None:
    """Parameters and case of the content type do not matter."""
    assert (await send(client, NATIVE, native(), **{"Content-Type": content_type})).status == 200


async def test_no_content_type_is_taken_as_json(client: Client) -> None:
    """A request without the header is read as JSON, since that is all that a body can be."""
    body = good(NATIVE)
    assert (await exchange(client, head(NATIVE, length=len(body)) + body)).status == 200


PACKERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
PACKED = pytest.mark.parametrize("coding", PACKERS)


def bomb(coding: str, size: int) -> bytes:
    """A body that stands for so many spaces."""
    if coding == "gzip":
        return gzip.compress(bytes(size).replace(b"\0", b" "))
    packing = zstandard.ZstdCompressor().compressobj()  # one that does not state its size
    return b"".join([*(packing.compress(b" " * 2**20) for _ in range(size // 2**20)), packing.flush()])


def torn_bodies(coding: str) -> list[bytes]:
    """Bodies that are not what their coding says."""
    whole = PACKERS[coding](good(NATIVE))
    return [b"", b"no such thing", good(NATIVE), whole[:-9], whole[:10], b"x" + whole, whole[:-12] + b"\0" * 12]


async def packed(client: Client, path: str, coding: str, body: bytes) -> Any:
    """The reply to a body under a content coding."""
    return await exchange(client, head(path, JSON, f"Content-Encoding: {coding}", length=len(body)) + body)


@BOTH
@PACKED
async def test_compressed_bodies_are_read(client: Client, path: str, coding: str) -> None:
    """A request in gzip or zstd is answered like any other, in whatever case the coding is written."""
    for name in (coding, coding.upper(), f"identity, {coding}"):
        assert (await packed(client, path, name, PACKERS[coding](good(path)))).status == 200


@BOTH
@PACKED
async def test_a_bomb_is_too_large(client: Client, ranker: SoftmaxRanker, path: str, coding: str) -> None:
    """The limit is on the decompressed size: a few kilobytes that stand for 64 MiB are a 413, stated or not."""
    assert (await packed(client, path, coding, bomb(coding, 4 * BODY_BYTES_MAX))).status == 413
    stated = PACKERS[coding](b" " * 4 * BODY_BYTES_MAX)
    assert (await packed(client, path, coding, stated)).status == 413
    assert ranker.calls == []


@PACKED
async def test_exactly_the_limit_decompressed_is_read(client: Client, coding: str) -> None:
    """The limit is the largest body that is taken, after decompression too."""
    for size, status in ((BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)):
        whole = of_size(b"campaignArn", size)
        assert len(whole) == size
        assert (await packed(client, WIRE, coding, PACKERS[coding](whole))).status == status


@BOTH
@PACKED
async def test_bad_compression_is_the_callers_fault(client: Client, path: str, coding: str) -> None:
    """What is not of its coding, or cut short, is a 400, and the connection is used on."""
    for body in torn_bodies(coding):
        reply = await packed(client, path, coding, body)
        assert reply.status == 400, body[:20]
        assert "connection" not in reply.headers


@BOTH
async def test_something_behind_the_gzip_member(client: Client, path: str) -> None:
    """A gzip body is one member: bytes behind it are not dropped in silence."""
    whole = gzip.compress(good(path))
    for body in (whole + b"x", whole + whole, whole + bytes(300_000)):
        assert (await packed(client, path, "gzip", body)).status == 400


@BOTH
@pytest.mark.parametrize("encoding", ["deflate", "br", "x-unknown", "gzip, gzip", "gzip, zstd", "gzip;q=1", '"gzip"'])
async def test_other_codings_are_refused(client: Client, path: str, encoding: str) -> None:
    """A coding that is not read, or two, are a 415, which says what would do."""
    reply = await packed(client, path, encoding, gzip.compress(good(path)))
    assert (reply.status, reply.headers["accept-encoding"]) == (415, "gzip, zstd")


@BOTH
async def test_two_content_encodings(client: Client, path: str) -> None:
    """A second Content-Encoding header is not overlooked."""
    encodings = ("Content-Encoding: zstd", "Content-Encoding: gzip")
    reply = await exchange(client, head(path, JSON, *encodings, length=5) + b"hello")
    assert reply.status in (400, 415)


@pytest.mark.parametrize("encoding", ["identity", "", " , identity,"])
async def test_identity_is_no_compression(client: Client, encoding: str) -> None:
    """`Content-Encoding: identity` says that there is none, as does a list of nothing."""
    reply = await exchange(
        client, head(NATIVE, JSON, f"Content-Encoding: {encoding}", length=len(good(NATIVE))) + good(NATIVE)
    )
    assert reply.status == 200


async def test_empty_places_in_the_codings_do_not_count(client: Client) -> None:
    """A list in a header may have empty places (RFC 9110, 5.6.1): `gzip,` is gzip."""
    assert (await packed(client, NATIVE, ", gzip,", gzip.compress(good(NATIVE)))).status == 200


@BOTH
async def test_a_chunked_body_above_the_limit_is_cut_off(client: Client, path: str) -> None:
    """A body without a declared length is refused once it has passed the limit, while more is still to come."""
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    reply = await exchange(client, head(path, JSON, "Transfer-Encoding: chunked") + chunk * 17)
    assert reply.status == 413


async def test_a_chunked_body_is_read(client: Client) -> None:
    """A body in chunks is as good as any."""
    body = good(NATIVE)
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    assert (await exchange(client, head(NATIVE, JSON, "Transfer-Encoding: chunked") + chunked)).status == 200


@BOTH
async def test_a_body_that_never_ends_is_a_408(connect: Connect, path: str) -> None:
    """A body has its time: then the caller is told, and the connection closes."""
    client = await connect(server={"body_timeout_s": 0.05})
    reply = await exchange(client, head(path, JSON, length=100) + b'{"userId"')
    assert reply.status == 408
    assert reply.headers["connection"] == "close"


async def test_a_caller_that_stops_in_its_body_is_no_fault_of_ours(
    connect: Connect, ranker: SoftmaxRanker, lines
) -> None:
    """A caller that goes away in the middle of its body leaves a line with 499, no error, and no call."""
    client = await connect()
    _, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(head(NATIVE, JSON, length=100) + b'{"userId"')
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(10):
        while not lines:
            await asyncio.sleep(0)
    assert [line["status"] for line in lines] == [499]
    assert ranker.calls == []

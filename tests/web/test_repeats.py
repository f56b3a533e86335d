"""Members that stand twice: refused where they count, found wherever they stand, never seen where there are none."""

import string
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.events_members import NativeEventsRequest
from gateway.web.faults import BadMembers, decode
from gateway.web.members import PersonalizedRankingRequest, RerankRequest, ShelvesRequest
from gateway.web.outline import MEMBERS_MAX, TOO_MANY, TWICE, Outline, is_plain
from tests.web.parts import NATIVE, WIRE, Client, refused, send, wire

BODY = b'{"campaign":"demo","campaignArn":"demo","userId":"u","inputList":["p1"]%s}'
IN_IT = f"a name in it {TWICE}"


@pytest.mark.parametrize(("more", "pointer"), [
    (b',"userId":"u"', "/userId"),
    (b',"userId":"v"', "/userId"),
    (b',"inputList":[]', "/inputList"),
    (b',"inputList":["p1"]', "/inputList"),
    (b',"user\\u0049d":"v"', "/userId"),
    (b',"\\u0075serId":"v"', "/userId"),
    (b' ,\n "filterArn" : "a" , "filterArn" : "b"', "/filterArn"),
    (b',"context":{},"context":{}', "/context"),
    (b',"context":{"A":"1"},"context":{"A":"1"}', "/context"),
    (b',"x":[[{"y":"\\n \\"userId\\": 1"}]],"userId":"v"', "/userId"),
    (b',"context":{"A":"1","A":"2"}', "/context"),
    (b',"context":{"A":"1","B":"2","\\u0041":"3"}', "/context"),
    (b',"filterArn":"a","filterValues":{"A":"1","B":"2","A":"1"}', "/filterValues"),
])  # fmt: skip
async def test_a_member_twice(client: Client, more: bytes, pointer: str) -> None:
    """A member that stands twice is refused by its pointer, however it is spelt and whatever stands around it."""
    body = BODY % more
    assert (await refused(client, WIRE, body))[0] == 400
    status, told = await refused(client, NATIVE, body.replace(b'"campaignArn":"demo",', b""))
    assert status == 422
    if b'"x"' not in more:  # which the native API refuses for itself
        (fault,) = told["errors"]
        assert (fault["pointer"], fault["detail"]) == (
            f"#{pointer}",
            IN_IT if pointer in ("/context", "/filterValues") and more.count(b'"context"') < 2 else TWICE,
        )


@pytest.mark.parametrize("more", [
    b"",
    b',"context":{"userId":"u","inputList":"x"}',
    b',"context":{"A":"\\n \\"A\\": 1","B":"\\\\\\",\\"A\\":"}',
    b',"context":{"A":"{","B":"}","C":"\\"}"}',
    b',"filterValues":{},"context":{},"metadataColumns":null',
    b',"x":1,"x":2',
    b',"x":{"a":1,"a":{"a":[{"a":1,"a":2}]}}',
    b',"x":{"userId":"v"},"y":[{"userId":"w"},{"userId":"w"}]',
])  # fmt: skip
async def test_what_only_looks_like_it(client: Client, more: bytes) -> None:
    """Equal names in different objects, names inside texts, and members that the operation does not know are fine."""
    assert (await send(client, WIRE, BODY % more)).status == 200


@pytest.mark.parametrize(("event", "pointer"), [
    (b'"eventType":"click","sentAt":1,"itemId":"a","itemId":"b"', "/eventList/1/itemId"),
    (b'"eventType":"click","sentAt":1,"metricAttribution":{"eventAttributionSource":"a","eventAttributionSource":"b"}',
     "/eventList/1/metricAttribution/eventAttributionSource"),
])  # fmt: skip
def test_inside_an_event(event: bytes, pointer: str) -> None:
    """Objects in a list, and objects in those, are looked at too."""
    first = b'{"eventType":"click","sentAt":1,"impression":["a","a"]}'
    body = b'{"trackingId":"t","sessionId":"s","eventList":[%s,{%s}]}' % (first, event)
    assert faults(body, NativeEventsRequest) == [(pointer, TWICE)]
    assert faults(body.replace(event, b'"eventType":"click","sentAt":1'), NativeEventsRequest) == []


def faults(body: bytes, kind: Any) -> list[tuple[str, str]]:
    """What is wrong with a body."""
    try:
        decode(body, kind)
    except BadMembers as error:
        return [(fault.pointer, fault.detail) for fault in error.faults]
    return []


def test_far_too_many_members() -> None:
    """A map of hundreds of members is none of ours, and is not taken apart; nor is one of thousands of equal names."""
    body = b'{"campaign":"demo","userId":"u","inputList":[],"context":{%s}}'
    many = b",".join(b'"x%d":"1"' % n for n in range(2 * MEMBERS_MAX))
    assert faults(body % many, RerankRequest) == [("/context", TOO_MANY)]
    assert faults(body % b",".join([b'"A":"1"'] * 100_000), RerankRequest) == [("/context", TOO_MANY)]
    fewer = b",".join(b'"x%d":"1"' % n for n in range(150))
    assert faults(body % fewer, RerankRequest) == []


MAP = b'{"campaign":"demo","userId":"u","inputList":[],"context":%s}'


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.text('",:{}\\ x', max_size=6)), max_size=6), st.booleans())
def test_maps_are_counted_too(members: list[tuple[str, str]], spaced: bool) -> None:
    """For any texts, full of what JSON is made of: a name twice in a map is seen exactly when it was written twice."""
    document = MAP % (b"{" + b",".join(orjson.dumps(name) + b":" + orjson.dumps(text) for name, text in members) + b"}")
    if spaced:
        document = msgspec.json.format(document, indent=4)
    names = [name for name, _ in members]
    expected = [("/context", IN_IT)] if len(names) != len(set(names)) else []
    assert faults(document, RerankRequest) == expected


NAMES = ["userId", "campaignArn", "inputList", "context", "filterArn"]
VALUES: Any = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(string.printable) | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.sampled_from(NAMES) | st.text(), one),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6), st.booleans())
def test_the_verdict_is_that_of_counting(members: list[tuple[str, Any]], spaced: bool) -> None:
    """For any values, written tightly or with spaces: a repeat is seen exactly when a known name was written twice."""
    parts = [orjson.dumps(name) + b":" + orjson.dumps(value) for name, value in members]
    document = b"{" + b",".join(parts) + b"}"
    if spaced:
        document = msgspec.json.format(document, indent=4)
    names = [name for name, _ in members]
    for written in (document, bytearray(document)):
        twice = Outline(written, PersonalizedRankingRequest).twice
        assert (twice is not None) == (len(names) != len(set(names)))
        assert twice is None or names.count(twice) > 1


TEXTS = st.text(string.printable + '",:{}[]', min_size=1, max_size=4).filter(lambda text: "\0" not in text)
MEMBERS: Any = st.one_of(
    st.tuples(st.sampled_from(["campaign", "userId", "filterArn"]), TEXTS),
    st.tuples(st.just("inputList"), st.lists(TEXTS, max_size=3)),
    st.tuples(st.sampled_from(["limit", "offset"]), st.integers(0, 2)),
    st.tuples(st.sampled_from(["explain", "pin"]), st.booleans()),
    st.tuples(st.sampled_from(["limit", "filterArn", "context"]), st.none()),
)
NEEDED: list[tuple[str, Any]] = [("campaign", "demo"), ("userId", "u"), ("inputList", ["p1", "p2"])]


@given(st.lists(MEMBERS, max_size=3), st.booleans())
def test_a_plain_request_is_no_exception(members: list[tuple[str, Any]], spaced: bool) -> None:
    """Of requests in which all is well but for a name twice, those are refused, whatever their values, and no other."""
    members = [*NEEDED, *members]
    document = b"{" + b",".join(orjson.dumps(name) + b":" + orjson.dumps(value) for name, value in members) + b"}"
    if spaced:
        document = msgspec.json.format(document, indent=4)
    names = [name for name, _ in members]
    repeated = {f"/{name}" for name in names if names.count(name) > 1}
    found = faults(document, RerankRequest)
    assert not repeated if not found else (found[0][0] in repeated and found[0][1] == TWICE)


def test_what_is_plain() -> None:
    """The usual request is told by its quotes; one with anything else in it is looked at closely."""
    document = orjson.dumps(dict(NEEDED) | {"limit": 10, "filterArn": "a"})
    members = decode(document, RerankRequest)
    assert is_plain(document, members)
    assert is_plain(bytearray(document), members)
    for more in (
        b',"offset":0',
        b',"limit":10',
        b',"context":{}',
        b',"userId":"\\u0075"',
        b',"inputList":[]',
        b',"x":[""]',
    ):
        assert not is_plain(document[:-1] + more + b"}", members)


async def test_a_repeat_is_not_echoed(client: Client) -> None:
    """A name that the caller made up is not repeated in the refusal."""
    body = orjson.dumps(wire())[:-1] + b',"context":{"CANARY":"1","CANARY":"2"}}'
    _, told = await refused(client, WIRE, body)
    assert "CANARY" not in str(told)


def test_maps_of_lists() -> None:
    """A map of lists may hold any number of strings, but not a name twice, nor more names than are looked at."""
    body = b'{"campaign":"demo","userId":"u","shelves":{%b}}'
    full = b'"a":[%b]' % b",".join([b'"],"'] * 50_000)
    assert faults(body % full, ShelvesRequest) == []
    assert faults(body % (full + b',"a":[]'), ShelvesRequest) == [("/shelves", f"a name in it {TWICE}")]
    assert faults(body % b'"a":[],"\\u0061":[]', ShelvesRequest) == [("/shelves", f"a name in it {TWICE}")]
    for many in ([b'"a":[]'] * 100_000, [b'"a%d" : [ ] ' % number for number in range(100_000)]):
        assert faults(body % b",".join(many), ShelvesRequest) == [("/shelves", TOO_MANY)]


def test_faults_in_long_lists_of_a_map() -> None:
    """The list in which a fault stands is named, however long the others are; many things that are no lists are not
    looked at one by one."""
    body = b'{"campaign":"demo","userId":"u","shelves":{%b}}'
    long = b'"a":[%b]' % b",".join([b'"x"'] * 50_000)
    assert [at for at, _ in faults(body % (long + b',"b":["x",1]'), ShelvesRequest)] == ["/shelves/b/1"]
    assert [at for at, _ in faults(body % (long + b',"b b":[]'), ShelvesRequest)] == ["/shelves"]
    numbers = b",".join(b'"a%d":1' % number for number in range(100_000))
    assert [at for at, _ in faults(body % numbers, ShelvesRequest)] == ["/shelves"]

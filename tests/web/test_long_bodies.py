"""Long requests read in turns: the same members and the same refusals as in one go, and none of the costs."""

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.service.turns import Turns
from gateway.web import long_bodies, marks
from gateway.web.faults import BadMembers, NotJson, decode
from gateway.web.long_bodies import LONG_BYTES, REST_BYTES_MAX, members_of
from gateway.web.marks import CONTAINERS_MAX, STRING_BYTES_MAX, STRINGS_MAX
from gateway.web.members import PersonalizedRankingRequest, RerankRequest, ShelvesRequest
from tests.web.conftest import Connect
from tests.web.parts import NATIVE, WIRE, Client, ask, items, native, order, refused, wire

Kind = type[msgspec.Struct]

ids = st.lists(st.text(min_size=1, max_size=6), max_size=12)
"""Also quotes, backslashes, brackets and commas, and characters of all widths."""


SMALL = {
    (long_bodies, "LONG_BYTES"): 0, (long_bodies, "PIECE_BYTES"): 5, (long_bodies, "PIECE_STRINGS"): 2,
    (marks, "SLICE_BYTES"): 3,
}  # fmt: skip
"""Everything is long, and is read in the smallest pieces."""


async def outcome(body: bytes, kind: Kind) -> object:
    """The members, or where the faults are, or that it is no JSON; read in the smallest pieces."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in SMALL.items():
            patch.setattr(module, name, value)
        return await _outcome(lambda: members_of(Turns(), body, kind))


async def in_one_go(body: bytes, kind: Kind) -> object:
    """The same of `decode`."""

    async def decoded() -> Any:
        return decode(body, kind)

    return await _outcome(decoded)


def alike(one: object, other: object) -> bool:
    """Whether two outcomes are the same. A reading in pieces tells the first fault of a list, and those of others."""
    if isinstance(one, list) and isinstance(other, list):
        return set(one) <= set(other) or set(other) <= set(one)
    return one == other


async def _outcome(read: Callable[[], Any]) -> object:
    try:
        return await read()
    except BadMembers as bad:
        return sorted({fault.pointer for fault in bad.faults})
    except NotJson:
        return "no JSON"


@given(
    listed=ids,
    context=st.none() | st.dictionaries(st.sampled_from(["A", "B", "["]), st.text(max_size=5), max_size=3),
    compact=st.booleans(),
)
async def test_what_is_long_is_read_alike(listed: list[str], context: Any, compact: bool) -> None:
    """The members are those that one reading gives, and so are the faults' places, with white space and without."""
    members = {"campaign": "[demo]", "inputList": listed, "userId": "u\\", "context": context}
    body = orjson.dumps(members, option=0 if compact else orjson.OPT_INDENT_2)
    assert alike(await outcome(body, RerankRequest), await in_one_go(body, RerankRequest))


@given(shelves=st.dictionaries(st.sampled_from(["a", "b", "c.d", "bad name"]), ids, max_size=4))
async def test_so_are_shelves(shelves: dict[str, list[str]]) -> None:
    """Lists in a map are put back under their names."""
    columns = {"ITEMS": ["A", "B"]}
    members = {"shelves": shelves, "campaign": "demo", "userId": "u", "metadataColumns": columns}
    body = orjson.dumps(members)
    assert alike(await outcome(body, ShelvesRequest), await in_one_go(body, ShelvesRequest))


GOOD = b'"campaign":"demo","userId":"u",'
BODIES = {
    "the list twice": b"{" + GOOD + b'"inputList":["a"],"inputList":["b"]}',
    "the list twice, escaped": b"{" + GOOD + b'"inputList":["a"],"input\\u004cist":["b"]}',
    "the list of another object": b"{" + GOOD + b'"context":{"inputList":["a"]},"inputList":["b"]}',
    "a list in the list": b"{" + GOOD + b'"inputList":["a",["b","c"],"d"]}',
    "an object in the list": b"{" + GOOD + b'"inputList":["a",{"b":"c"}]}',
    "a number in the list": b"{" + GOOD + b'"inputList":["a","b","c",1,"d"]}',
    "null in the list": b"{" + GOOD + b'"inputList":["a",null]}',
    "an empty id": b"{" + GOOD + b'"inputList":["a","b","","d"]}',
    "U+0000 in an id": b"{" + GOOD + b'"inputList":["a","b","\\u0000"]}',
    "none, but a backslash before it": b"{" + GOOD + b'"inputList":["a","b","\\\\u0000"]}',
    "no comma": b"{" + GOOD + b'"inputList":["a" "b","c"]}',
    "two commas": b"{" + GOOD + b'"inputList":["a",,"b"]}',
    "a comma at the end": b"{" + GOOD + b'"inputList":["a","b",]}',
    "a comma at the beginning": b"{" + GOOD + b'"inputList":[,"a"]}',
    "no list": b"{" + GOOD + b'"inputList":"a"}',
    "a list that does not close": b"{" + GOOD + b'"inputList":["a"',
    "a list that closes as an object": b"{" + GOOD + b'"inputList":["a"}}',
    "a string that does not close": b"{" + GOOD + b'"inputList":["a]}',
    "a quote that is none": b"{" + GOOD + b'"inputList":["a\\"]}',
    "an escape outside of strings": b"{" + GOOD + b'"inputList":[\\"a","b"]}',
    "a character that is no UTF-8": b"{" + GOOD + b'"inputList":["a","\xff"]}',
    "half of a pair": b"{" + GOOD + b'"inputList":["a","\\ud800"]}',
    "something behind": b"{" + GOOD + b'"inputList":["a"]} x',
    "a document behind": b"{" + GOOD + b'"inputList":["a"]}{}',
    "no colon": b"{" + GOOD + b'"inputList" ["a"]}',
    "no name": b"{" + GOOD + b'["a"]}',
    "unknown members": b"{" + GOOD + b'"inputList":["a"],"x":["a","b"],"y":{"inputList":["c"]}}',
    "faults everywhere": b'{"campaign":1,"userId":"u","inputList":["a",1],"limit":-1}',
    "a list": b'["a"]',
    "a list of lists": b'[["a"],["b"]]',
    "empty": b"",
    "white space": b"  \n ",
    "a string": b'"a"',
    "null": b"null",
}


@pytest.mark.parametrize("kind", [RerankRequest, PersonalizedRankingRequest, ShelvesRequest])
@pytest.mark.parametrize("name", BODIES)
async def test_what_is_wrong_is_wrong_alike(name: str, kind: Kind) -> None:
    """Every wrong document is refused for the same, at the same place; and none that is not."""
    assert alike(await outcome(BODIES[name], kind), await in_one_go(BODIES[name], kind))


LISTED = orjson.dumps([f"item-{number:06}" for number in range(20_000)])

TOO_MUCH = {
    "depth": b'"x":' + b"[" * LONG_BYTES,
    "lists": b'"x":[' + b"[]," * LONG_BYTES + b"[]]",
    "objects": b'"x":[' + b'{"a":1},' * (CONTAINERS_MAX + 1) * 40 + b"{}]",
    "members": b'"x":1,' * (LONG_BYTES // 6) + b'"y":1',
    "strings": b'"x":[' + b'"",' * (STRINGS_MAX + 1) + b'""]',
    "a long string": b'"x":"' + b"a" * (LONG_BYTES + STRING_BYTES_MAX) + b'"',
    "numbers": b'"x":[' + b"1," * REST_BYTES_MAX + b"1]",
    "white space": b'"x":1' + b" " * (REST_BYTES_MAX + LONG_BYTES),
}


@pytest.mark.parametrize("kind", [RerankRequest, PersonalizedRankingRequest])
@pytest.mark.parametrize("name", TOO_MUCH)
async def test_more_than_any_request_holds_is_refused(name: str, kind: Kind) -> None:
    """What is beside the lists of ids of a long request is limited, also in members that are not known."""
    body = b'{"campaignArn":"demo","campaign":"demo","userId":"u","inputList":["p1"],' + TOO_MUCH[name] + b"}"
    with pytest.raises(BadMembers) as refusal:
        await members_of(Turns(), body, kind)
    assert [fault.pointer for fault in refusal.value.faults] == [""]


async def test_it_is_refused_as_other_members_are(client: Client) -> None:
    """By both routes, each in its own words."""
    body = b'{"campaignArn":"demo","userId":"u","inputList":["p1"],' + TOO_MUCH["lists"] + b"}"
    status, error = await refused(client, WIRE, body)
    assert (status, error.keys()) == (400, {"message"})
    status, problem = await refused(client, NATIVE, body)
    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, ["#"])


async def test_a_long_list_is_ranked(connect: Connect) -> None:
    """20,000 ids of 16 characters are read in pieces, on both routes, and every one of them is ranked once."""
    client = await connect()
    many = [f"p{number:015}" for number in range(20_000)]
    answer = await ask(client, NATIVE, native(many, limit=3))
    assert (answer["total"], answer["usage"]["candidates"]) == (20_000, 20_000)
    whole = await ask(client, WIRE, wire([*many, *many[:5], *items(3)]))
    assert sorted(order(whole)) == sorted([*many, *items(3)])


async def test_faults_of_a_long_list_are_told_by_their_place(client: Client) -> None:
    """The first one of the list, beside those of other members."""
    body = b'{"campaign":"demo","userId":"","inputList":' + LISTED[:-1] + b',1,2],"limit":-1}'
    status, problem = await refused(client, NATIVE, body)
    assert status == 422
    told = {error["pointer"] for error in problem["errors"]}
    assert told == {"#/userId", "#/limit", "#/inputList/20000"}

"""Members of wrong types, missing and unknown ones: refused on both routes, all told at once, no value repeated."""

from typing import Any

import msgspec
import orjson
import pytest

from gateway.web import faults
from gateway.web.members import RerankRequest, ShelvesRequest
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.parts import NATIVE, WIRE, Client, ask, native, refused, send, wire

CANARY = "canary-7f3a"

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("number as userId", {"userId": 17}, "#/userId"),
    ("null as userId", {"userId": None}, "#/userId"),
    ("string as inputList", {"inputList": CANARY}, "#/inputList"),
    ("null as inputList", {"inputList": None}, "#/inputList"),
    ("number as an item", {"inputList": ["a", 5]}, "#/inputList/1"),
    ("null as an item", {"inputList": [None]}, "#/inputList/0"),
    ("list as an item", {"inputList": [[]]}, "#/inputList/0"),
    ("list as context", {"context": []}, "#/context"),
    ("number in context", {"context": {"DEVICE": 1}}, "#/context/DEVICE"),
]
CASES = [pytest.param(members, pointer, id=name) for name, members, pointer in BAD]


@pytest.mark.parametrize(("members", "pointer"), CASES)
async def test_native_tells_the_place(client: Client, ranker: SoftmaxRanker, members, pointer) -> None:
    """/v1 answers 422 with a pointer to the member, never with its value, and nothing is asked upstream."""
    status, body = await refused(client, NATIVE, native(**members))
    assert status == 422
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]
    assert CANARY not in str(body)
    assert ranker.calls == []


@pytest.mark.parametrize(("members", "pointer"), CASES)
async def test_wire_tells_the_place(client: Client, ranker: SoftmaxRanker, members, pointer) -> None:
    """The wire answers 400 in the service's shape, with the place in its message and never the value."""
    status, body = await refused(client, WIRE, wire(**members))
    assert status == 400
    assert body.keys() == {"message"}
    assert pointer.removeprefix("#") in body["message"]
    assert CANARY not in body["message"]
    assert ranker.calls == []


@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_null_is_absent(client: Client, path, asked) -> None:
    """Members that need not be there may be null."""
    assert await ask(client, path, asked(context=None, filterArn=None, filterValues=None))


@pytest.mark.parametrize("path", [NATIVE, "/v1/rerank/shelves"])
async def test_null_is_absent_from_what_only_the_native_api_has(client: Client, path: str) -> None:
    """Every member of the native API that need not be there may be null, and then is what it is by default."""
    members = native() if path == NATIVE else {"campaign": "demo", "userId": USER, "shelves": {"a": ["p1", "p2"]}}
    kind = RerankRequest if path == NATIVE else ShelvesRequest
    optional = [field.encode_name for field in msgspec.structs.fields(kind) if not field.required]
    assert {"limit", "offset", "deadlineMs", "explain", "metadataColumns"} <= set(optional)
    told = await ask(client, path, members | dict.fromkeys(optional))
    assert (told["offset"], told["limit"], "plan" in told, "pinned" in told) == (0, None, False, False)


@pytest.mark.parametrize("missing", ["campaign", "userId", "inputList"])
async def test_native_names_a_missing_member(client: Client, missing: str) -> None:
    """A required member that is not there is named."""
    members = {name: value for name, value in native().items() if name != missing}
    assert (await refused(client, NATIVE, members))[1]["errors"] == [
        {"pointer": f"#/{missing}", "detail": "is required"}
    ]


async def test_all_faults_are_told_at_once(client: Client) -> None:
    """One answer lists every fault of a request, so that it takes one round to mend it."""
    bad = native([1, "ok", ""], userId="", context={"A": 1}, deadlineMs=0, nonsense=1) | {"campaign": ""}
    status, body = await refused(client, NATIVE, bad)
    assert status == 422
    assert {fault["pointer"] for fault in body["errors"]} == {
        "#/campaign", "#/userId", "#/inputList/0", "#/inputList/2", "#/context/A", "#/deadlineMs", "#/nonsense",
    }  # fmt: skip
    assert body["detail"].startswith("7 members")


async def test_faults_told_are_bounded(client: Client) -> None:
    """A list of wrong items is answered with the first twenty places, not with an answer as large as the list."""
    _, body = await refused(client, NATIVE, native([0] * 1_000))
    assert [fault["pointer"] for fault in body["errors"]] == [f"#/inputList/{n}" for n in range(20)]


async def test_unknown_members_are_refused_by_name(client: Client) -> None:
    """A misspelt member of /v1 is refused by its name, escaped as JSON pointers are; on the wire it is ignored."""
    status, body = await refused(client, NATIVE, native(**{"limits": 5, "a/b~c": 1}))
    assert status == 422
    assert [fault["pointer"] for fault in body["errors"]] == ["#/limits", "#/a~1b~0c"]
    assert await ask(client, WIRE, wire(**{"limits": 5, "a/b~c": 1}))


PAGES: list[tuple[str, Any]] = [
    *(("limit", value) for value in (1.5, "5", True, 2**64, 10**30)),
    *(("offset", value) for value in (1.5, "5", 2**64)),
    *(("deadlineMs", value) for value in (-5, 1.5, "300", True, 2**64)),
    *(("explain", value) for value in (1, "true")),
]


@pytest.mark.parametrize(("name", "value"), PAGES)
async def test_members_of_the_native_api_alone(client: Client, name: str, value: Any) -> None:
    """Page, deadline and `explain` are of their type and in their range, or refused by name."""
    body = orjson.dumps(native(**{name: "@"})).replace(b'"@"', msgspec.json.encode(value))
    status, answer = await refused(client, NATIVE, body)
    assert (status, [fault["pointer"] for fault in answer.get("errors", ())]) == (422, [f"#/{name}"])


async def test_a_huge_list_of_faults_does_not_hold_the_loop(client: Client, monkeypatch) -> None:
    """A list above its limit is refused as a whole: its elements are not looked at one by one."""
    looked_at = 0
    plain = faults._fault

    def counted(value: Any, kind: Any) -> str | None:
        nonlocal looked_at
        looked_at += 1
        return plain(value, kind)

    monkeypatch.setattr(faults, "_fault", counted)
    assert (await refused(client, NATIVE, native(["a"] * 200_000)))[0] == 422
    assert looked_at < 100_100


async def test_members_of_objects_in_lists_are_named(client: Client) -> None:
    """A fault in an object that stands in a list is told at its own member, all of them at once; so is one too many."""
    events = [
        {"eventType": "", "sentAt": CANARY, "impression": ["a", 1]},
        3,
        {"sentAt": 1, "eventType": "c", "more": CANARY, "metricAttribution": {"eventAttributionSource": 1, "deep": 2}},
    ]
    asked = {"trackingId": "t", "sessionId": "s", "eventList": events}
    status, body = await refused(client, "/v1/events", asked)
    assert status == 422
    assert {fault["pointer"]: fault["detail"] for fault in body["errors"]} == {
        "#/eventList/0/eventType": "Expected `str` of length >= 1",
        "#/eventList/0/sentAt": "Expected `float`, got `str`",
        "#/eventList/0/impression/1": "Expected `str`, got `int`",
        "#/eventList/1": "Expected `object`, got `int`",
        "#/eventList/2/metricAttribution/eventAttributionSource": "Expected `str`, got `int`",
        "#/eventList/2/metricAttribution/deep": "is not a member of this request",
        "#/eventList/2/more": "is not a member of this request",
    }
    assert CANARY not in str(body)


async def test_the_wire_ignores_unknown_members_of_events(client: Client) -> None:
    """What the operation does not know is ignored on the wire, in its events too."""
    event = {"eventType": "c", "sentAt": 1, "more": 1, "metricAttribution": {"eventAttributionSource": "s", "more": 1}}
    asked = {"trackingId": "t", "sessionId": "s", "eventList": [event]}
    assert (await send(client, "/events", asked)).status == 200


async def test_one_of_a_few_words_is_told_by_the_words(client: Client) -> None:
    """A member that may be one of a few words is refused with these, not with the one that was sent."""
    response = await client.put("/v1/log-level", json={"level": CANARY})
    (fault,) = orjson.loads(await response.read())["errors"]
    assert fault == {"pointer": "#/level", "detail": "Expected one of 'debug', 'info', 'warning', 'error'"}


async def test_what_is_no_object_is_told_in_words_on_the_wire(client: Client) -> None:
    """A body that is no object has no member to name."""
    assert (await refused(client, WIRE, [])) == (400, {"message": "must be a JSON object"})

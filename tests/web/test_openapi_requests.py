"""The API description is true: a generator of requests that has read it finds no lie in it, by all checks that it has.

Requests are made of the description, good ones and bad ones, always the same; the answers must be what it says. What
JSON Schema cannot say of a request is in `CANNOT_SAY`, and nowhere else is a check left out.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import orjson
import pytest
import schemathesis
import structlog
import uvloop
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.openapi import document
from gateway.web.openapi_operations import OPERATIONS
from tests.support.gateway_parts import make_service
from tests.support.listing_ranker import ListingRanker
from tests.web.keys import auth, bearer
from tests.web.operations import ASKING, IN_PATHS, NOT_FOUND, body_of, is_wire

Document = dict[str, Any]

LONG_MS = 30_000
WITHIN_S = 20
"""Only ends a test that would hang."""

BOUNDED = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

ALL = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
    "object_level_authorization",
}  # fmt: skip


def has_number_with_a_point(value: Any) -> bool:
    """Whether a whole number in the value will be written with a point."""
    if isinstance(value, dict | list):
        return any(map(has_number_with_a_point, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


def has_no_object_in_its_text(body: Any) -> bool:
    """Whether the `properties` of an event are text that is no JSON object."""
    events = body.get("eventList") if isinstance(body, dict) else None
    texts = [one.get("properties") for one in events or () if isinstance(one, dict)]
    return any(not is_object(text) for text in texts if isinstance(text, str))


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


CANNOT_SAY: list[tuple[Any, Callable[[Any], bool], str]] = [
    (
        positive_data_acceptance,
        has_number_with_a_point,
        "an integer may not be written as 5.0, which is one to JSON Schema",
    ),
    (positive_data_acceptance, has_no_object_in_its_text, "contentSchema tells what a text holds, and demands nothing"),
]
"""Checks that are left out, for which bodies, and why."""


TELLING_CHARS = 8
"""A text of fewer may stand in an answer by chance."""


def texts(value: Any) -> Iterator[str]:
    """All texts in a value, but for names of members."""
    if isinstance(value, str) and len(value) >= TELLING_CHARS:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


def nothing_is_repeated(_: Any, response: Any, case: Any) -> None:
    """A refusal does not hold what was sent."""
    if response.status_code >= 400:
        for text in texts([case.body, case.query, case.path_parameters]):
            assert text not in response.text, "an error repeats what was sent"


def left_out(case: Any) -> list[Any]:
    """The checks that do not apply to a request."""
    return [check for check, applies, _ in CANNOT_SAY if applies(case.body)]


def make_answerable(case: Any) -> None:
    """Name the campaign that there is, in most requests that name a well-formed one, and give them time: else most of
    them would be 404 or 504."""
    body = case.body if isinstance(case.body, dict) else {}
    for name in ("campaign", "campaignArn", "recommenderArn"):
        named = body.get(name)
        if isinstance(named, str) and 1 <= len(named) <= 256 and not named.startswith("arn:") and "\0" not in named:
            body[name] = "demo" if len(body) != 3 else named
    for members in (body, case.query or {}):
        given_ms = members.get("deadlineMs")
        if type(given_ms) is int and 1 <= given_ms < LONG_MS:
            members["deadlineMs"] = LONG_MS


def dropped(*_: Any) -> Any:
    """No log line of thousands of requests."""
    raise structlog.DropEvent


@contextmanager
def served(**parts: Any) -> Iterator[str]:
    """A gateway on a socket and a loop of its own, since the generator of requests is no coroutine."""
    began, address, ends = threading.Event(), [], []

    async def serve() -> None:
        app = build_app(make_service(ListingRanker()), ServerSettings(deadline_ms=LONG_MS), **parts)
        end = asyncio.Event()
        async with TestServer(app) as server:
            address.append(str(server.make_url("")).rstrip("/"))
            ends.append((asyncio.get_running_loop(), end))
            began.set()
            await end.wait()

    structlog.configure(processors=[dropped])
    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    assert began.wait(20.0)
    yield address[0]
    loop, end = ends[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(20.0)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway that asks nobody."""
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """A gateway that asks who calls."""
    with served(auth=auth()) as address:
        yield address


def read(description: Document) -> Any:
    """The generator that has read a description."""
    return schemathesis.openapi.from_dict(description, config=schemathesis.Config.from_dict({}))


schema = read(document())


def test_all_checks_are_on() -> None:
    """The checks below are all that the installed generator has: a new one is not overlooked."""
    load_all_checks()
    assert set(CHECKS.get_all_names()) == ALL


@schema.parametrize()
@BOUNDED
def test_requests_made_of_the_description(case: Any, url: str) -> None:
    """Whatever is made of the description, good or bad, is answered as it says: no 5xx, no other status or shape; the
    good is taken, the bad is refused, and no error repeats what was sent."""
    make_answerable(case)
    case.call_and_validate(
        base_url=url, additional_checks=[nothing_is_repeated], excluded_checks=left_out(case), timeout=WITHIN_S
    )


class Workflow(schema.as_state_machine()):  # type: ignore[misc]
    """Requests made of answers to others, along the links of the description."""

    url = ""

    def before_call(self, case: Any) -> None:
        """Let most requests be answered, and most rankings be kept."""
        make_answerable(case)
        if isinstance(case.body, dict) and case.body.get("pin") is False:
            case.body["pin"] = True

    def get_call_kwargs(self, case: Any) -> dict[str, Any]:
        """Where the gateway is."""
        return {"base_url": self.url, "timeout": WITHIN_S}

    def validate_response(self, response: Any, case: Any, *_: Any, **kwargs: Any) -> None:
        """All checks but those that cannot apply."""
        case.validate_response(
            response, excluded_checks=left_out(case), transport_kwargs=kwargs, recorder=getattr(self, "recorder", None)
        )


def test_links_lead_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages asked for by the ids that rankings had, and all else that follows on an answer, are as described."""
    monkeypatch.setattr(Workflow, "url", url)
    Workflow.run(settings=settings(BOUNDED, max_examples=5, stateful_step_count=4))


def test_the_link_to_the_next_page(url: str) -> None:
    """The description's link leads from a ranking to a page of it: both are as described."""
    link = document()["paths"]["/v1/rerank"]["post"]["responses"]["200"]["links"]["rankingPage"]
    assert link["parameters"] == {"rankingId": "$response.body#/rankingId"}
    first = good_case(schema, "post", "/v1/rerank")
    first.body["pin"] = True
    told = first.call_and_validate(base_url=url, timeout=WITHIN_S).json()
    page = schema["/v1/rankings/{rankingId}"]["GET"].Case(path_parameters={"rankingId": told["rankingId"]})
    assert page.call_and_validate(base_url=url, timeout=WITHIN_S).json()["total"] == told["total"]


def where_auth_is_set() -> Document:
    """The description without its `{}`: the choice to show no credentials is there where `auth` is not set."""
    description = deepcopy(document())
    description["security"].remove({})
    return description


asking = read(where_auth_is_set())


def good_case(generator: Any, method: str, path: str) -> Any:
    """A request of an operation that is answered."""
    body = body_of(path, method)
    places = {place.strip("{}"): value for place, value in IN_PATHS.items() if place in path}
    given_body = {} if body is None else {"body": body, "media_type": "application/json"}
    return generator[path][method.upper()].Case(path_parameters=places, **given_body)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_asks_who_calls(locked: str, method: str, path: str) -> None:
    """With a key an operation is answered as described; without one, or with credentials of nobody by any of the ways
    that the description names, it is not, but for those that are described as open."""
    case = good_case(asking, method, path)
    response = case.call_and_validate(base_url=locked, headers=bearer("shop"), timeout=WITHIN_S)
    assert response.status_code == (404 if (method, path) in NOT_FOUND else 200)
    response = good_case(asking, method, path).call_and_validate(base_url=locked, timeout=WITHIN_S)
    assert (response.status_code == (403 if is_wire(method, path) else 401)) == ((method, path) in ASKING)


@pytest.mark.parametrize(("method", "path"), [one for one in ASKING if one not in NOT_FOUND])
def test_control_an_open_gateway_is_found(url: str, method: str, path: str) -> None:
    """The check of credentials fails where nobody is asked for them."""
    case = good_case(asking, method, path)
    with pytest.raises(FailureGroup, match="accepts requests without authentication"):
        case.call_and_validate(base_url=url, checks=[ignored_auth], headers=bearer("shop"), timeout=WITHIN_S)


def no_status(description: Document) -> None:
    """Bad members are not told of."""
    del description["paths"]["/v1/rerank"]["post"]["responses"]["422"]


def no_rules(description: Document) -> None:
    """The rules between members are not told of; values of a filter have to be there, so that one of them matters."""
    members = description["components"]["schemas"]["RerankRequest"]
    del members["allOf"]
    members["required"].append("filterValues")
    members["properties"]["filterValues"] = {
        "type": "object",
        "minProperties": 1,
        **members["properties"]["filterValues"]["anyOf"][0],
    }


def another_limit(description: Document) -> None:
    """Deadlines are longer than they may be."""
    members = description["components"]["schemas"]["RerankRequest"]
    members["properties"]["deadlineMs"] = {"type": "integer", "minimum": LONG_MS + 1}
    members["required"].append("deadlineMs")


def a_rule_too_many(description: Document) -> None:
    """Users are said to have few letters."""
    description["components"]["schemas"]["RerankRequest"]["properties"]["userId"]["pattern"] = "^[a-c]+$"


def another_answer(description: Document) -> None:
    """Answers have another member."""
    description["components"]["schemas"]["RerankAnswer"]["required"].append("nothing")


def another_type(description: Document) -> None:
    """Answers are of another type."""
    responses = description["paths"]["/v1/rerank"]["post"]["responses"]
    responses["200"]["content"] = {"text/plain": {}}


def another_header(description: Document) -> None:
    """A header is of another type."""
    description["components"]["headers"]["Server-Timing"]["schema"] = {"type": "integer"}


LIES = {
    no_status: "Undocumented status code",
    no_rules: "Schema-valid request rejected",
    another_limit: "Schema-valid request rejected",
    a_rule_too_many: "Schema-violating request accepted",
    another_answer: "Response violates schema",
    another_type: "Undocumented Content-Type",
    another_header: "Response header does not conform",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_control_a_lie_is_found(url: str, lie: Callable[[Document], None]) -> None:
    """A description that is not true is found out by the same checks and the same kind of requests."""
    lying = deepcopy(document())
    lie(lying)
    operation = read(lying)["/v1/rerank"]["POST"]

    @settings(BOUNDED, max_examples=100)
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def search(case: Any) -> None:
        make_answerable(case)
        case.call_and_validate(base_url=url, excluded_checks=left_out(case), timeout=WITHIN_S)

    with pytest.raises(FailureGroup, match=LIES[lie]):
        search()

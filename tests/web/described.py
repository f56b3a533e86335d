"""The generator of requests that reads the API description, as it is used here: always the same requests, in bounds.

What JSON Schema cannot say of a request is in `CANNOT_SAY`, and nowhere else is a check left out.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.web.operations import IN_PATHS, body_of
from tests.web.served import LONG_MS

Document = dict[str, Any]

BOUNDED = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def has_number_with_a_point(value: Any) -> bool:
    """Whether a whole number in the value will be written with a point."""
    if isinstance(value, dict | list):
        return any(map(has_number_with_a_point, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


def has_no_object_in_its_text(body: Any) -> bool:
    """Whether the `properties` of an event are text that is no JSON object."""
    events = body.get("eventList") if isinstance(body, dict) else None
    events = events if isinstance(events, list) else []
    texts = [one.get("properties") for one in events if isinstance(one, dict)]
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


def read(description: Document) -> Any:
    """The generator that has read a description."""
    return schemathesis.openapi.from_dict(description, config=schemathesis.Config.from_dict({}))


def good_case(generator: Any, method: str, path: str) -> Any:
    """A request of an operation that is answered."""
    body = body_of(path, method)
    places = {place.strip("{}"): value for place, value in IN_PATHS.items() if place in path}
    given_body = {} if body is None else {"body": body, "media_type": "application/json"}
    return generator[path][method.upper()].Case(path_parameters=places, **given_body)

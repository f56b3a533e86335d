"""The control: a description that is not true is found out by the checks that the true one passes."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode

from gateway.web.openapi import document
from tests.web.described import BOUNDED, Document, left_out, make_answerable, read
from tests.web.served import LONG_MS, WITHIN_S, served


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway that asks nobody."""
    with served() as address:
        yield address


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

    @settings(BOUNDED, max_examples=400)  # a rule too many is broken alone by one case in some dozens
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def search(case: Any) -> None:
        make_answerable(case)
        case.call_and_validate(base_url=url, excluded_checks=left_out(case), timeout=WITHIN_S)

    with pytest.raises(FailureGroup, match=LIES[lie]):
        search()

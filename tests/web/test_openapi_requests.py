"""The API description is true: a generator of requests that has read it finds no lie in it, by all checks that it has.

Requests are made of the description, good ones and bad ones, always the same; the answers must be what it says.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import ignored_auth

from gateway.web.openapi import document
from gateway.web.openapi_operations import OPERATIONS
from tests.web.described import BOUNDED, Document, good_case, left_out, make_answerable, nothing_is_repeated, read
from tests.web.keys import auth, bearer
from tests.web.operations import ASKING, NOT_FOUND, is_wire
from tests.web.served import WITHIN_S, served

ALL = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
    "object_level_authorization",
}  # fmt: skip


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

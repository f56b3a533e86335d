"""The table of errors, rendered for both APIs: each row as it stands, and every error of the gateway has one."""

import orjson
import pytest
from aiohttp import web

from gateway.core import errors
from gateway.web import problems
from gateway.web.faults import BadMembers, Fault
from gateway.web.problems import BUG, TABLE, problem, row_of, wire_error

KINDS = [pytest.param(kind, id=kind.__name__) for kind in TABLE]


def made(kind: type[BaseException]) -> BaseException:
    """An error of the kind, with something to say."""
    return kind([Fault("/userId", "is required")]) if kind is BadMembers else kind("some detail")


@pytest.mark.parametrize("kind", KINDS)
def test_native_rendering(kind: type[BaseException]) -> None:
    """A row becomes a problem document: its type, title, status, detail and request, and when to come back."""
    response, row = problem(made(kind), "r-1"), TABLE[kind]
    body = orjson.loads(response.body)
    assert (response.status, response.headers["Content-Type"]) == (row.status, "application/problem+json")
    assert body.pop("detail")
    if kind is BadMembers:
        assert body.pop("errors") == [{"pointer": "#/userId", "detail": "is required"}]
    assert body == {
        "type": f"urn:rerank-gateway:problem:{row.slug}",
        "title": row.title,
        "status": row.status,
        "instance": "urn:rerank-gateway:request:r-1",
    }
    assert response.headers.get("Retry-After") == (None if row.retry_after_s is None else str(row.retry_after_s))


@pytest.mark.parametrize("kind", KINDS)
def test_wire_rendering(kind: type[BaseException]) -> None:
    """A row becomes the service's own error: its code in the header, its message in the body, and nothing else."""
    response, row = wire_error(made(kind), "r-1"), TABLE[kind]
    body = orjson.loads(response.body)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["x-amzn-ErrorType"] == row.code
    assert response.headers["x-amzn-RequestId"] == "r-1"
    assert body.keys() == {"message"}
    assert body["message"]
    assert response.status == problems.WIRE_STATUS.get(row.code, row.status)


@pytest.mark.parametrize("render", [problem, wire_error])
def test_what_is_not_in_the_table_tells_nothing(render) -> None:
    """An error that nobody foresaw is a 500 without a word of what it says."""
    response = render(RuntimeError("secret-of-ours"), "r-1")
    assert response.status == 500
    assert b"secret-of-ours" not in response.body
    assert response.headers.get("x-amzn-ErrorType") in (None, "InternalFailure")


def leaves(kind: type[BaseException]) -> list[type[BaseException]]:
    """The kinds that are raised: those without kinds of their own."""
    below = [leaf for one in kind.__subclasses__() for leaf in leaves(one)]
    return below or [kind]


@pytest.mark.parametrize("kind", leaves(errors.GatewayError))
def test_every_error_of_the_gateway_has_a_row(kind: type[BaseException]) -> None:
    """No error that the gateway raises on purpose is told as a bug."""
    assert row_of(kind("x")) is not BUG


def test_a_kind_without_a_row_takes_its_parents() -> None:
    """A finer kind of an error is told as the coarser one."""

    class Slower(errors.Throttled):
        pass

    assert row_of(Slower("x")) is TABLE[errors.Throttled]


def test_slugs_and_retries() -> None:
    """Problem types are told apart by their slugs, and what is retryable upstream invites the caller back."""
    slugs = [row.slug for row in TABLE.values()]
    assert len(set(slugs)) == len(slugs)
    assert all(row.retry_after_s for kind, row in TABLE.items() if getattr(kind, "retryable", False))


def test_allowed_methods_are_told() -> None:
    """A 405 says which methods there are."""
    response = problems.problem(web.HTTPMethodNotAllowed("PUT", {"POST", "GET"}), "r-1")
    assert (response.status, response.headers["Allow"]) == (405, "GET, POST")

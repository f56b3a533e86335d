"""How the API description tells errors: by status, in the shape of the operation's API.

Every status has the problems that `problems.TABLE` gives it, which is what answers are made of.
"""

from collections.abc import Iterable
from typing import Any, Final

from gateway.web import answers
from gateway.web.auth import OPEN_ROUTES
from gateway.web.openapi_components import HEADERS, header_refs, ref
from gateway.web.openapi_operations import OPERATIONS_TAG, WIRE, Errors, Operation
from gateway.web.problems import (
    BUG,
    JSON,
    PROBLEM_JSON,
    TABLE,
    WIRE_STATUS,
    NoCredentials,
    Row,
    TooMany,
    UnknownCredentials,
)
from gateway.web.sigv4 import BadSignature

OF_CALLERS: Final[Errors] = (NoCredentials, UnknownCredentials, BadSignature, TooMany)
"""Of every operation that asks who calls, where `auth` is set."""


def refusals(path: str, operation: Operation) -> dict[str, Any]:
    """The errors of an operation by status, in the shape of its API."""
    wire = operation.tag == WIRE
    by_status: dict[int, list[Row]] = {}
    kinds = operation.errors if path in OPEN_ROUTES else (*OF_CALLERS, *operation.errors)
    for row in (*(TABLE[kind] for kind in kinds), *([BUG] if operation.tag != OPERATIONS_TAG else [])):
        status = WIRE_STATUS.get(row.code, row.status) if wire else row.status
        by_status.setdefault(status, []).append(row)
    shape = _wire_refusal if wire else _problem
    return {str(status): shape(rows) for status, rows in sorted(by_status.items())}


def _problem(rows: list[Row]) -> dict[str, Any]:
    kinds = list(dict.fromkeys(f"urn:rerank-gateway:problem:{row.slug}" for row in rows))
    schema = {"allOf": [ref(answers.Problem), {"properties": {"type": {"enum": kinds}}}]}
    return {
        "description": _titles(rows),
        "headers": header_refs(_retry(rows)),
        "content": {PROBLEM_JSON: {"schema": schema}},
    }


def _wire_refusal(rows: list[Row]) -> dict[str, Any]:
    codes = list(dict.fromkeys(row.code for row in rows))
    kind = {"description": HEADERS["x-amzn-ErrorType"][0], "required": True, "schema": {"enum": codes}}
    return {
        "description": _titles(rows),
        "headers": {"x-amzn-ErrorType": kind, **header_refs(("x-amzn-RequestId", *_retry(rows)))},
        "content": {JSON: {"schema": ref(answers.WireError)}},
    }


def _titles(rows: Iterable[Row]) -> str:
    return "; ".join(dict.fromkeys(row.title for row in rows))


def _retry(rows: Iterable[Row]) -> tuple[str, ...]:
    return ("Retry-After",) if any(row.retry_after_s is not None for row in rows) else ()

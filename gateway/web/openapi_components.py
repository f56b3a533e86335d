"""What the parts of the API description refer to: the schemas of types, headers, ways to name the caller.

Schemas are those that msgspec makes of the types that decode and encode; so limits of members are those that are
checked. Two things are added to the types of requests: the rules between members, and the one character that no text
may hold.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gateway.web import answers
from gateway.web.openapi_operations import OPERATIONS
from gateway.web.rules import stated

HEADERS: Final[dict[str, tuple[str, str]]] = {
    "Gateway-Upstream-Calls": ("Calls made for this answer, each of them billed", "integer"),
    "Server-Timing": ("Milliseconds by stage", "string"),
    "Gateway-Degraded": ("Why this is not the full promise; absent if it is", "string"),
    "Gateway-Variant": ("The variant of the campaign that answered, where it has variants", "string"),
    "Gateway-Merge": ("`ordinal` where calls are merged by their orders alone; absent otherwise", "string"),
    "Retry-After": ("Seconds to wait before the next try", "integer"),
    "x-amzn-ErrorType": ("The code of the error, from which an SDK makes its exception", "string"),
    "x-amzn-RequestId": ("The request's id, where an SDK looks for it", "string"),
}
"""What each header says, and its type. All are optional but those of the wire's errors."""

CREDENTIALS: Final[dict[str, dict[str, str]]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where `auth` takes keys"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key, by another header"},
    "sigv4": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4 by a key pair of the gateway's owner, as an SDK signs, where `auth` "
        "takes signatures",
    },
}
"""In whose name a request is made. Without `auth` nobody is asked."""

NO_NUL: Final = r"\A[^\u0000]*\Z"


def components() -> dict[str, Any]:
    """All that is referred to."""
    given = {operation.answer: None for operation in OPERATIONS.values() if isinstance(operation.answer, type)}
    schemas = _requests() | _schemas([*given, answers.Problem, answers.WireError])
    return {
        "schemas": _portable(schemas),
        "headers": {name: {"description": about, "schema": {"type": kind}} for name, (about, kind) in HEADERS.items()},
        "securitySchemes": CREDENTIALS,
    }


def ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    """A reference to the schema of a type."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def header_refs(names: Iterable[str]) -> dict[str, Any]:
    """References to headers, by their names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _requests() -> dict[str, Any]:
    """The schemas of bodies: what types of members say, the rules between members, the character that none may hold."""
    bodies = {operation.body: None for operation in OPERATIONS.values() if operation.body is not None}
    schemas: dict[str, Any] = _without_nul(_schemas(bodies))
    for kind in bodies:
        schemas[kind.__name__] |= stated(getattr(kind, "RULES", ()))
    return schemas


def _schemas(kinds: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    return msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")[1]


def _without_nul(schema: Any) -> Any:
    """The schema with U+0000 kept out of all texts. (Those that have a pattern have none that would let it in.)"""
    if isinstance(schema, list):
        return [*map(_without_nul, schema)]
    if not isinstance(schema, dict):
        return schema
    free = {} if schema.get("type") != "string" or "pattern" in schema else {"pattern": NO_NUL}
    return {name: _without_nul(value) for name, value in schema.items()} | free


def _portable(schema: Any) -> Any:
    """The schema with its patterns as other languages write them: they have `^` and `$` for Python's ends of a text."""
    if isinstance(schema, dict):
        return {
            name: value.replace(r"\A", "^").replace(r"\Z", "$")
            if name == "pattern" and isinstance(value, str)
            else _portable(value)
            for name, value in schema.items()
        }
    return [_portable(one) for one in schema] if isinstance(schema, list) else schema

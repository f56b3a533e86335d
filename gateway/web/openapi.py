"""The API description (OpenAPI 3.1), made of the types that decode requests and the table that renders errors.

So it cannot say anything else than what happens: limits of members are those that msgspec checks, and every status has
the problems that `problems.TABLE` gives it. What is written here by hand is a table of the operations; a test holds it
against the routes of the app.
"""

import importlib.metadata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from gateway.core import errors
from gateway.web import answers, events_members, members, recommend_members
from gateway.web.auth import OPEN_ROUTES
from gateway.web.faults import BadMembers, NotJson
from gateway.web.problems import (
    BUG,
    JSON,
    PROBLEM_JSON,
    TABLE,
    WIRE_STATUS,
    BadCoding,
    NoCredentials,
    NotAllowed,
    NotInvalidated,
    Row,
    TooLarge,
    TooMany,
    TooSlow,
    UnknownCredentials,
    UnsupportedBody,
)
from gateway.web.rules import stated
from gateway.web.sigv4 import BadSignature

OPENAPI: Final = "/openapi.json"

ABOUT: Final = """\
One ranking call without the 500-item limit: same contract, same scores.

*AWS wire*: what an AWS SDK sends with `endpoint_url` set, in the service's own shapes and errors; what only the gateway
can say stands in headers. *Native*: the members of the AWS operation, and what it cannot say.

Ids and names never hold the character U+0000. Members that the AWS wire does not know are ignored; `/v1` refuses them.
"""

Errors = tuple[type[BaseException], ...]

OF_CALLERS: Final[Errors] = (NoCredentials, UnknownCredentials, BadSignature, TooMany)
"""Of every operation that asks who calls, where `auth` is set."""

OF_BODIES: Final[Errors] = (
    NotJson, BadMembers, web.RequestPayloadError, TooSlow, TooLarge, UnsupportedBody, BadCoding
)  # fmt: skip
OF_CALLS: Final[Errors] = (
    errors.InvalidInput,
    errors.UnknownResource,
    errors.Overloaded,
    errors.Throttled,
    errors.Busy,
    errors.Unavailable,
    errors.Malformed,
    errors.AccessDenied,
    errors.DeadlineExceeded,
)
CALLS: Final[Errors] = (*OF_BODIES, NotAllowed, *OF_CALLS)
OF_PINS: Final[Errors] = (
    BadMembers, NotAllowed, errors.Overloaded, errors.UnknownRanking, errors.RankingGone, errors.RankingAway
)  # fmt: skip


class Text(NamedTuple):
    """An answer that is no JSON of ours."""

    media: str
    about: str


class Operation(NamedTuple):
    """One operation. An `answer` of None is an empty body; those of `also` are answers of other statuses; `links` name
    what can be asked next, and by which member of the answer."""

    name: str
    tag: str
    summary: str
    answer: type[msgspec.Struct] | Text | None
    body: type[msgspec.Struct] | None = None
    errors: Errors = ()
    also: Mapping[int, Text] = {}
    headers: tuple[str, ...] = ()
    query: type[msgspec.Struct] | None = None
    links: Mapping[str, str] = {}


WIRE, NATIVE, OPERATIONS_TAG = "AWS wire", "native", "operations"
COSTS: Final = ("Gateway-Upstream-Calls", "Server-Timing", "Gateway-Degraded", "Gateway-Variant")
RANKED: Final = (*COSTS, "Gateway-Merge")
DEGRADED: Final = ("Gateway-Degraded",)

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

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("post", "/personalize-ranking"): Operation(
        "GetPersonalizedRanking", WIRE, "Rank any number of items", answers.PersonalizedRankingAnswer,
        members.PersonalizedRankingRequest, CALLS, headers=RANKED,
    ),
    ("post", "/recommendations"): Operation(
        "GetRecommendations", WIRE, "Recommend items, kept until the user's next event",
        answers.RecommendationsAnswer, recommend_members.RecommendationsRequest, CALLS, headers=COSTS,
    ),
    ("post", "/action-recommendations"): Operation(
        "GetActionRecommendations", WIRE, "Recommend actions, kept until the user's next event",
        answers.ActionRecommendationsAnswer, recommend_members.ActionRecommendationsRequest, CALLS, headers=COSTS,
    ),
    ("post", "/events"): Operation(
        "PutEvents", WIRE, "Forward events, and let no older frame of the user answer", None,
        events_members.PutEventsRequest, CALLS, headers=DEGRADED,
    ),
    ("post", "/v1/rerank"): Operation(
        "rerank", NATIVE, "Rank any number of items; a page of the ranking", answers.RerankAnswer,
        members.RerankRequest, CALLS, headers=RANKED, links={"rankingPage": "rankingId"},
    ),
    ("post", "/v1/rerank/shelves"): Operation(
        "rerankShelves", NATIVE, "Rank many lists of one user at the price of their union", answers.ShelvesAnswer,
        members.ShelvesRequest, CALLS, headers=RANKED,
    ),
    ("get", "/v1/rankings/{rankingId}"): Operation(
        "rankingPage", NATIVE, "A page of a ranking that was pinned", answers.RerankAnswer, query=members.PageRequest,
        errors=OF_PINS, headers=RANKED,
    ),
    ("post", "/v1/events"): Operation(
        "recordEvents", NATIVE, "Forward events, and let no older frame of the user answer", answers.EventsAnswer,
        events_members.NativeEventsRequest, CALLS, headers=DEGRADED,
    ),
    ("delete", "/v1/users/{userId}/frames"): Operation(
        "forgetUser", NATIVE, "Let no older frame of a user answer, without an event", answers.FramesAnswer,
        errors=(BadMembers, NotInvalidated),
    ),
    ("get", "/v1/campaigns"): Operation(
        "campaigns", NATIVE, "How the campaigns stand", answers.CampaignsAnswer
    ),
    ("get", "/livez"): Operation(
        "livez", OPERATIONS_TAG, "Whether the process turns its loop", Text("text/plain", "It does")
    ),
    ("get", "/readyz"): Operation(
        "readyz", OPERATIONS_TAG, "Whether traffic may come (`?verbose`: as JSON, with how things stand)",
        Text("text/plain", "It may"), also={503: Text("text/plain", "It may not; the body says why")},
    ),
    ("get", "/metrics"): Operation(
        "metrics", OPERATIONS_TAG, "Numbers for Prometheus", Text("text/plain", "Text format or OpenMetrics")
    ),
    ("get", "/v1/log-level"): Operation(
        "logLevel", OPERATIONS_TAG, "How much is logged", answers.LogLevelAnswer, errors=(NotAllowed,)
    ),
    ("put", "/v1/log-level"): Operation(
        "setLogLevel", OPERATIONS_TAG, "Log more or less, for a while or until the next change",
        answers.LogLevelAnswer, members.LogLevelRequest, (*OF_BODIES, NotAllowed),
    ),
    ("get", OPENAPI): Operation(
        "openapi", OPERATIONS_TAG, "This description", Text(JSON, "OpenAPI 3.1")
    ),
    ("get", "/docs"): Operation(
        "docs", OPERATIONS_TAG, "This description, for people", Text("text/html", "A page that needs no internet")
    ),
    ("get", "/docs/{file}"): Operation(
        "docsFile", OPERATIONS_TAG, "A file of that page", Text("*/*", "The file"),
        also={404: Text(PROBLEM_JSON, "No such file")},
    ),
    ("get", "/console"): Operation(
        "console", OPERATIONS_TAG, "A playground, and numbers as they are now, for people",
        Text("text/html", "A page that needs no internet"),
    ),
    ("get", "/console/live"): Operation(
        "consoleLive", OPERATIONS_TAG, "The numbers of that page, since the start", answers.LiveAnswer
    ),
    ("get", "/console/{build}/{file}"): Operation(
        "consoleFile", OPERATIONS_TAG, "A file of that page", Text("*/*", "The file"),
        also={404: Text(PROBLEM_JSON, "No such file")},
    ),
}  # fmt: skip

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

PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "userId": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[^\\u0000]*$"},
    "rankingId": {"type": "string", "minLength": 1},
    "build": {"type": "string", "minLength": 1},
    "file": {"type": "string", "minLength": 1},
}
"""The members of paths."""


@cache
def document() -> dict[str, Any]:
    """The description. It is the same for the whole process, and not to be changed."""
    given = {operation.answer: None for operation in OPERATIONS.values() if isinstance(operation.answer, type)}
    schemas = _requests() | _schemas([*given, answers.Problem, answers.WireError])
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = _operation(path, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rerank-gateway",
            "version": importlib.metadata.version("rerank-gateway"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name} for name in (WIRE, NATIVE, OPERATIONS_TAG)],
        "paths": paths,
        "security": [{}, *({name: []} for name in CREDENTIALS)],
        "components": {
            "schemas": _portable(schemas),
            "headers": _headers(),
            "securitySchemes": CREDENTIALS,
        },
    }


def _requests() -> dict[str, Any]:
    """The schemas of bodies: what types of members say, the rules between members, the character that none may hold."""
    bodies = {operation.body: None for operation in OPERATIONS.values() if operation.body is not None}
    schemas: dict[str, Any] = without_nul(_schemas(bodies))
    for kind in bodies:
        schemas[kind.__name__] |= stated(getattr(kind, "RULES", ()))
    return schemas


def _schemas(kinds: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    return msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")[1]


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {"200": _answer(operation), **_refusals(path, operation)},
    }
    described["responses"] |= {str(status): _text(text) for status, text in operation.also.items()}
    if path in OPEN_ROUTES:
        described["security"] = []
    named = [name for name in PARAMETERS if f"{{{name}}}" in path]
    parameters = [{"name": name, "in": "path", "required": True, "schema": PARAMETERS[name]} for name in named]
    if operation.query is not None:
        parameters += _query(operation.query)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": _ref(operation.body)}}}
    return described


def _query(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """The parameters of a query: none must be given, and null is no text that one could give."""
    _, schemas = msgspec.json.schema_components([kind], ref_template="{name}")
    described = []
    for name, schema in schemas[kind.__name__]["properties"].items():
        given = next((one for one in schema.get("anyOf", ()) if one != {"type": "null"}), schema)
        described.append({"name": name, "in": "query", "required": False, "schema": given})
    return described


def _answer(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, Text):
        return _text(operation.answer)
    described: dict[str, Any] = {"description": "Done", "headers": _header_refs(operation.headers)}
    if operation.answer is not None:
        described["content"] = {JSON: {"schema": _ref(operation.answer)}}
    if operation.links:
        described["links"] = {
            name: {"operationId": name, "parameters": {member: f"$response.body#/{member}"}}
            for name, member in operation.links.items()
        }
    return described


def _refusals(path: str, operation: Operation) -> dict[str, Any]:
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
    schema = {"allOf": [_ref(answers.Problem), {"properties": {"type": {"enum": kinds}}}]}
    return {
        "description": _titles(rows),
        "headers": _header_refs(_retry(rows)),
        "content": {PROBLEM_JSON: {"schema": schema}},
    }


def _wire_refusal(rows: list[Row]) -> dict[str, Any]:
    codes = list(dict.fromkeys(row.code for row in rows))
    kind = {"description": HEADERS["x-amzn-ErrorType"][0], "required": True, "schema": {"enum": codes}}
    return {
        "description": _titles(rows),
        "headers": {"x-amzn-ErrorType": kind, **_header_refs(("x-amzn-RequestId", *_retry(rows)))},
        "content": {JSON: {"schema": _ref(answers.WireError)}},
    }


def _titles(rows: Iterable[Row]) -> str:
    return "; ".join(dict.fromkeys(row.title for row in rows))


def _retry(rows: Iterable[Row]) -> tuple[str, ...]:
    return ("Retry-After",) if any(row.retry_after_s is not None for row in rows) else ()


def _text(text: Text) -> dict[str, Any]:
    return {"description": text.about, "content": {text.media: {}}}


def _headers() -> dict[str, Any]:
    return {name: {"description": about, "schema": {"type": kind}} for name, (about, kind) in HEADERS.items()}


def _header_refs(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def without_nul(schema: Any) -> Any:
    """The schema with U+0000 kept out of all texts. (Those that have a pattern have none that would let it in.)"""
    if isinstance(schema, list):
        return [*map(without_nul, schema)]
    if not isinstance(schema, dict):
        return schema
    free = {} if schema.get("type") != "string" or "pattern" in schema else {"pattern": NO_NUL}
    return {name: without_nul(value) for name, value in schema.items()} | free


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

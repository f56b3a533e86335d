"""The table of the operations, which the API description is made of.

A row for each route: the types that decode its requests and make its answers, and the errors that it may be answered
with. A test holds it against the routes of the app; other tests go through it to try every operation.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from gateway.core import errors
from gateway.web import answers, events_members, members, recommend_members
from gateway.web.faults import BadMembers, NotJson
from gateway.web.problems import (
    JSON,
    PROBLEM_JSON,
    BadCoding,
    NotAllowed,
    NotInvalidated,
    TooLarge,
    TooSlow,
    UnsupportedBody,
)

OPENAPI: Final = "/openapi.json"

Errors = tuple[type[BaseException], ...]

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

"""What SDKs ask the emulator, and what the documentation says that they get: one table for all of them.

A call is a client of boto3, its method, and the members. Other SDKs spell the names in their own way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.process.parts import Running, environment, running

PREFIX = "arn:aws:personalize:us-east-1:000000000000:"
CAMPAIGN = f"{PREFIX}campaign/demo"

CONFIG = f"""
[[key_pairs]]
access_key_id = "AKIDEXAMPLE"
secret_access_key = "secret"
[[campaigns]]
arn = "{CAMPAIGN}"
recipe = "aws-personalized-ranking-v2"
[[campaigns]]
arn = "{CAMPAIGN}-plain"
recipe = "aws-personalized-ranking"
metadata = false
[[campaigns]]
arn = "{CAMPAIGN}-recommendations"
recipe = "aws-user-personalization-v2"
[[campaigns]]
arn = "{CAMPAIGN}-related"
recipe = "aws-similar-items"
[[campaigns]]
arn = "{CAMPAIGN}-actions"
recipe = "aws-next-best-action"
[[campaigns]]
arn = "{PREFIX}recommender/for-you"
recipe = "aws-ecomm-recommended-for-you"
"""

RUNTIME, EVENTS = "personalize-runtime", "personalize-events"
RANK, RECOMMEND, ACT = "get_personalized_ranking", "get_recommendations", "get_action_recommendations"

RANKING = {"campaignArn": CAMPAIGN, "userId": "user-1", "inputList": ["strange", "p00001", "p00002"]}
FOR_USER = {"campaignArn": f"{CAMPAIGN}-recommendations", "userId": "user-1"}
RELATED = {"campaignArn": f"{CAMPAIGN}-related", "itemId": "p00001"}
ACTIONS = {"campaignArn": f"{CAMPAIGN}-actions", "userId": "user-1"}
TITLE = {"metadataColumns": {"ITEMS": ["TITLE", "PRICE"]}}
PROMOTION = {"name": "deal", "percentPromotedItems": 50}
CLICK = {"eventType": "click", "sentAt": 1_719_511_760, "itemId": "p00002"}
PUT = {"trackingId": "demo", "userId": "user-1", "sessionId": "s", "eventList": [CLICK]}

Call = tuple[str, str, dict[str, Any]]

ANSWERED: dict[str, Call] = {
    "ranking": (RUNTIME, RANK, RANKING),
    "ranking, metadata": (RUNTIME, RANK, RANKING | TITLE),
    "for a user": (RUNTIME, RECOMMEND, FOR_USER),
    "for a user, many": (RUNTIME, RECOMMEND, FOR_USER | {"numResults": 500}),
    "for a user, promoted": (RUNTIME, RECOMMEND, FOR_USER | {"promotions": [PROMOTION]}),
    "for a user, all": (
        RUNTIME,
        RECOMMEND,
        FOR_USER | TITLE | {"numResults": 50, "context": {"DEVICE": "mobile"}, "promotions": [PROMOTION]},
    ),
    "related": (RUNTIME, RECOMMEND, RELATED | TITLE),
    "recommender": (RUNTIME, RECOMMEND, {"recommenderArn": f"{PREFIX}recommender/for-you", "userId": "user-1"}),
    "actions": (RUNTIME, ACT, ACTIONS),
    "actions, all": (RUNTIME, ACT, ACTIONS | {"numResults": 100}),
    "events": (EVENTS, "put_events", PUT),
}

INVALID = ("InvalidInputException", "InvalidInputException", 400)
NOT_FOUND = ("ResourceNotFoundException", "ResourceNotFoundException", 404)

# The documented errors: what is called, and the exception, code and status that it gives.
REFUSED: dict[str, tuple[Call, tuple[str, str, int]]] = {
    "501 items": ((RUNTIME, RANK, RANKING | {"inputList": [f"i{n}" for n in range(501)]}), INVALID),
    "51 items, metadata": ((RUNTIME, RANK, RANKING | TITLE | {"inputList": [f"i{n}" for n in range(51)]}), INVALID),
    "no items": ((RUNTIME, RANK, RANKING | {"inputList": []}), INVALID),
    "long item id": ((RUNTIME, RANK, RANKING | {"inputList": ["i" * 257]}), INVALID),
    "long user id": ((RUNTIME, RANK, RANKING | {"userId": "u" * 257}), INVALID),
    "not an ARN": ((RUNTIME, RANK, RANKING | {"campaignArn": "demo"}), INVALID),
    "no campaign": ((RUNTIME, RANK, RANKING | {"campaignArn": f"{CAMPAIGN}-other"}), NOT_FOUND),
    "11 columns": ((RUNTIME, RANK, RANKING | {"metadataColumns": {"ITEMS": ["TITLE"] * 11}}), INVALID),
    "no column": ((RUNTIME, RANK, RANKING | {"metadataColumns": {"ITEMS": ["COLOUR"]}}), INVALID),
    "no metadata": ((RUNTIME, RANK, RANKING | TITLE | {"campaignArn": f"{CAMPAIGN}-plain"}), INVALID),
    "context name": ((RUNTIME, RANK, RANKING | {"context": {"a b": "c"}}), INVALID),
    "151 contexts": ((RUNTIME, RANK, RANKING | {"context": {f"c{n}": "v" for n in range(151)}}), INVALID),
    "26 filter values": ((RUNTIME, RANK, RANKING | {"filterValues": {f"f{n}": "1" for n in range(26)}}), INVALID),
    "no filter": ((RUNTIME, RANK, RANKING | {"filterArn": f"{PREFIX}filter/other"}), NOT_FOUND),
    "ranking of a recommendations campaign": ((RUNTIME, RANK, RANKING | FOR_USER), INVALID),
    "recommendations of a ranking campaign": ((RUNTIME, RECOMMEND, FOR_USER | {"campaignArn": CAMPAIGN}), INVALID),
    "actions of a ranking campaign": ((RUNTIME, ACT, ACTIONS | {"campaignArn": CAMPAIGN}), INVALID),
    "no recommender": ((RUNTIME, RECOMMEND, {"recommenderArn": f"{PREFIX}recommender/x", "userId": "u"}), NOT_FOUND),
    "neither campaign nor recommender": ((RUNTIME, RECOMMEND, {"userId": "u"}), INVALID),
    "no user": ((RUNTIME, RECOMMEND, {"campaignArn": FOR_USER["campaignArn"]}), INVALID),
    "no item": ((RUNTIME, RECOMMEND, {"campaignArn": RELATED["campaignArn"]}), INVALID),
    "501 results": ((RUNTIME, RECOMMEND, FOR_USER | {"numResults": 501}), INVALID),
    "51 results, metadata": ((RUNTIME, RECOMMEND, FOR_USER | TITLE | {"numResults": 51}), INVALID),
    "two promotions": ((RUNTIME, RECOMMEND, FOR_USER | {"promotions": [PROMOTION] * 2}), INVALID),
    "101 actions": ((RUNTIME, ACT, ACTIONS | {"numResults": 101}), INVALID),
    "11 events": ((EVENTS, "put_events", PUT | {"eventList": [CLICK] * 11}), INVALID),
    "large event": ((EVENTS, "put_events", PUT | {"eventList": [CLICK | {"itemId": "i" * 11_000}]}), INVALID),
    "no tracker": ((EVENTS, "put_events", PUT | {"trackingId": "other"}), NOT_FOUND),
}

# Faults that are ordered, and what a ranking then gives: errors that no service model names.
ORDERED: dict[str, tuple[dict[str, Any], tuple[str, str, int]]] = {
    "throttled": ({"throttle_share": 1}, ("ThrottlingException", "ThrottlingException", 400)),
    "throttled by 429": (
        {"throttle_share": 1, "throttle_status": 429},
        ("ThrottlingException", "ThrottlingException", 429),
    ),
    "unavailable": ({"error_share": 1}, ("ServiceUnavailable", "ServiceUnavailable", 503)),
    "failure": ({"error_share": 1, "error_status": 500}, ("InternalFailure", "InternalFailure", 500)),
}


def calls() -> dict[str, Call]:
    """All of them, in one order."""
    made = ANSWERED | {name: call for name, (call, _) in REFUSED.items()}
    for name, (faults, _) in ORDERED.items():
        made |= {f"{name}: order": ("emulator", "POST", faults), name: (RUNTIME, RANK, RANKING)}
    return made | {"end": ("emulator", "DELETE", {}), "after": (RUNTIME, RANK, RANKING)}


@contextmanager
def verifying_emulator(folder: Path) -> Iterator[Running]:
    """An emulator of all kinds of campaigns that verifies signatures."""
    config = folder / "emulator.toml"
    config.write_text(CONFIG)
    with running("emulate", "--port", "0", "--config", str(config), env=environment()) as emulator:
        yield emulator

"""What SDKs ask, and what the documentation says that they get: one table for all of them, wherever they ask.

A call is a client of boto3, its method, the members, and the keys that it is signed with. Other SDKs spell the names
in their own way.
"""

from typing import Any, NamedTuple

from tests.support.canaries import OTHER_USER, USER

PREFIX = "arn:aws:personalize:us-east-1:000000000000:"
CAMPAIGN = f"{PREFIX}campaign/demo"

Keys = tuple[str, ...]
OWNER: Keys = ("AKIDEXAMPLE", "secret-of-the-owner")
"""Key id and secret, perhaps a session token: the pair that emulator and gateway know."""

SLOW: Keys = ("AKIDSLOWEXAMPLE", "secret-of-the-slow-one")
"""The pair of a caller who may ask once in a thousand seconds."""

GUESSED: Keys = (OWNER[0], "x" * 40)
INVENTED: Keys = ("AKIDNOBODY", OWNER[1])


class Call(NamedTuple):
    """One call."""

    service: str
    method: str
    members: dict[str, Any]
    keys: Keys = OWNER


class Refusal(NamedTuple):
    """What a call gives that is not answered."""

    code: str
    status: int


RANKING = {"campaignArn": CAMPAIGN, "userId": USER, "inputList": ["strange", "p00001", "p00002"]}
FOR_USER = {"campaignArn": f"{CAMPAIGN}-recommendations", "userId": USER}
RELATED = {"campaignArn": f"{CAMPAIGN}-related", "itemId": "p00001"}
ACTIONS = {"campaignArn": f"{CAMPAIGN}-actions", "userId": USER}
TITLE = {"metadataColumns": {"ITEMS": ["TITLE", "PRICE"]}}
PROMOTION = {"name": "deal", "percentPromotedItems": 50}
CLICK = {"eventType": "click", "sentAt": 1_719_511_760, "itemId": "p00002"}
PUT = {"trackingId": "demo", "userId": USER, "sessionId": "s", "eventList": [CLICK]}


def rank(*, keys: Keys = OWNER, **members: Any) -> Call:
    """GetPersonalizedRanking of three items, one of them unknown, but for what is given."""
    return Call("personalize-runtime", "get_personalized_ranking", RANKING | members, keys)


def recommend(members: dict[str, Any] = FOR_USER, keys: Keys = OWNER, **more: Any) -> Call:
    """GetRecommendations, for a user if nothing is said."""
    return Call("personalize-runtime", "get_recommendations", members | more, keys)


def act(*, keys: Keys = OWNER, **members: Any) -> Call:
    """GetActionRecommendations."""
    return Call("personalize-runtime", "get_action_recommendations", ACTIONS | members, keys)


def put(*, keys: Keys = OWNER, **members: Any) -> Call:
    """PutEvents."""
    return Call("personalize-events", "put_events", PUT | members, keys)


ANSWERED: dict[str, Call] = {
    "ranking": rank(),
    "ranking, metadata": rank(**TITLE),
    "for a user": recommend(),
    "for a user, again": recommend(),
    "for a user, many": recommend(numResults=500),
    "for a user, none": recommend(numResults=0),
    "for a user, promoted": recommend(promotions=[PROMOTION]),
    "for a user, all": recommend(**TITLE, numResults=50, context={"DEVICE": "mobile"}, promotions=[PROMOTION]),
    "related": recommend(RELATED, **TITLE),
    "recommender": recommend({"recommenderArn": f"{PREFIX}recommender/for-you", "userId": USER}),
    "actions": act(),
    "actions, again": act(),
    "actions, all": act(numResults=100),
    "events": put(),
    "for a user, after events": recommend(),
    "actions, after events": act(),
}
"""In this order: what is asked again, and what events change, show what a gateway keeps."""

INVALID = Refusal("InvalidInputException", 400)
NOT_FOUND = Refusal("ResourceNotFoundException", 404)
THROTTLED = Refusal("ThrottlingException", 400)  # so the service's documentation has it
TOO_MANY = Refusal("ThrottlingException", 429)
FAILURE = Refusal("InternalFailure", 500)
UNAVAILABLE = Refusal("ServiceUnavailable", 503)
BAD_SIGNATURE = Refusal("InvalidSignatureException", 403)
NOBODY = Refusal("UnrecognizedClientException", 403)
DENIED = Refusal("AccessDeniedException", 403)

REFUSED: dict[str, tuple[Call, Refusal]] = {
    "100,001 items": (rank(inputList=[f"i{n}" for n in range(100_001)]), INVALID),
    "long item id": (rank(inputList=["i" * 257]), INVALID),
    "long user id": (rank(userId="u" * 257), INVALID),
    "not an ARN of the service": (rank(campaignArn="arn:aws:s3:::bucket"), INVALID),
    "no campaign": (rank(campaignArn=f"{CAMPAIGN}-other"), NOT_FOUND),
    "11 columns": (rank(metadataColumns={"ITEMS": ["TITLE"] * 11}), INVALID),
    "no column": (rank(metadataColumns={"ITEMS": ["COLOUR"]}), INVALID),
    "no metadata": (rank(**TITLE, campaignArn=f"{CAMPAIGN}-plain"), INVALID),
    "context name": (rank(context={"a b": "c"}), INVALID),
    "151 contexts": (rank(context={f"c{n}": "v" for n in range(151)}), INVALID),
    "26 filter values": (rank(filterValues={f"f{n}": "1" for n in range(26)}), INVALID),
    "no filter": (rank(filterArn=f"{PREFIX}filter/other"), NOT_FOUND),
    "ranking of a recommendations campaign": (rank(**FOR_USER), INVALID),
    "recommendations of a ranking campaign": (recommend(campaignArn=CAMPAIGN), INVALID),
    "recommendations, no campaign": (recommend(campaignArn=f"{CAMPAIGN}-other"), NOT_FOUND),
    "recommendations, no filter": (recommend(filterArn=f"{PREFIX}filter/other"), NOT_FOUND),
    "no recommender": (recommend({"recommenderArn": f"{PREFIX}recommender/x", "userId": "u"}), NOT_FOUND),
    "neither campaign nor recommender": (recommend({"userId": "u"}), INVALID),
    "no user": (recommend({"campaignArn": FOR_USER["campaignArn"]}), INVALID),
    "no item": (recommend({"campaignArn": RELATED["campaignArn"]}), INVALID),
    "501 results": (recommend(numResults=501), INVALID),
    "51 results, metadata": (recommend(**TITLE, numResults=51), INVALID),
    "two promotions": (recommend(promotions=[PROMOTION] * 2), INVALID),
    "actions of a ranking campaign": (act(campaignArn=CAMPAIGN), INVALID),
    "actions, no campaign": (act(campaignArn=f"{CAMPAIGN}-other"), NOT_FOUND),
    "101 actions": (act(numResults=101), INVALID),
    "11 events": (put(eventList=[CLICK] * 11), INVALID),
    "large event": (put(eventList=[CLICK | {"itemId": "i" * 11_000}]), INVALID),
    "no tracker": (put(trackingId="other"), NOT_FOUND),
}
"""The documented errors: what is called, and what it gives, from the service and from a gateway."""

LIFTED: dict[str, Call] = {
    "no items": rank(inputList=[]),
    "501 items": rank(inputList=[f"p{n:05}" for n in range(1, 502)]),
    "51 items, metadata": rank(**TITLE, inputList=[f"p{n:05}" for n in range(1, 52)]),
}
"""What the service refuses as `INVALID`, and a gateway is there for."""

UNKNOWN = ["no-such-3", "no-such-1", "no-such-2"]
LARGE: dict[str, Call] = {
    "10,000 items": rank(userId=OTHER_USER, inputList=UNKNOWN + [f"p{n:05}" for n in range(1, 9_998)]),
}

THROTTLES, FAILS = "throttle_share = 1\n", "error_share = 1\n"
FAILING: dict[str, tuple[Call, str, Refusal, Refusal]] = {
    "throttled": (rank(campaignArn=f"{CAMPAIGN}-throttled"), THROTTLES, THROTTLED, TOO_MANY),
    "throttled, 429": (rank(campaignArn=f"{CAMPAIGN}-429"), f"{THROTTLES}throttle_status = 429\n", TOO_MANY, TOO_MANY),
    "recommendations, throttled": (recommend(campaignArn=f"{CAMPAIGN}-throttled-r"), THROTTLES, THROTTLED, TOO_MANY),
    "actions, throttled": (act(campaignArn=f"{CAMPAIGN}-throttled-a"), THROTTLES, THROTTLED, TOO_MANY),
    "unavailable": (rank(campaignArn=f"{CAMPAIGN}-503"), FAILS, UNAVAILABLE, UNAVAILABLE),
    "failure": (rank(campaignArn=f"{CAMPAIGN}-500"), f"{FAILS}error_status = 500\n", FAILURE, UNAVAILABLE),
}
"""Campaigns that fail: the call, the emulator's faults, and what comes from it and from a gateway in front of it."""

STRANGERS: dict[str, tuple[Call, Refusal]] = {
    "wrong secret": (rank(keys=GUESSED), BAD_SIGNATURE),
    "wrong key": (rank(keys=INVENTED), NOBODY),
    "recommendations, wrong secret": (recommend(keys=GUESSED), BAD_SIGNATURE),
    "actions, wrong key": (act(keys=INVENTED), NOBODY),
    "events, wrong secret": (put(keys=GUESSED), BAD_SIGNATURE),
    "events, wrong key": (put(keys=INVENTED), NOBODY),
}
"""Where signatures are verified."""

OWNED: dict[str, Call] = {
    "ranking": rank(),
    "ranking, session token": rank(keys=(*OWNER, "token")),
    **LARGE,
    "for a user": recommend(),
    "actions": act(),
    "events": put(),
    "events, the first": put(keys=SLOW),
}
NOT_OWNED: dict[str, tuple[Call, Refusal]] = {
    "other campaign": (recommend(RELATED), DENIED),
    "other tracker": (put(trackingId="other"), DENIED),
    "beyond its rate": (rank(keys=SLOW), TOO_MANY),
    "recommendations, beyond its rate": (recommend(keys=SLOW), TOO_MANY),
    "actions, beyond its rate": (act(keys=SLOW), TOO_MANY),
    "events, beyond its rate": (put(keys=SLOW), TOO_MANY),
}
"""What a gateway that asks for signatures answers and refuses beyond that."""

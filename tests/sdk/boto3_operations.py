"""A program for an environment of its own: boto3, as it comes, asks a gateway for listings and records an event.

The argument is the gateway's address. Prints one JSON object with what came back.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

PREFIX = "arn:aws:personalize:us-east-1:000000000000:"
FOR_USER = {"campaignArn": f"{PREFIX}campaign/demo-recommendations", "userId": "user-1"}
RELATED = {"campaignArn": "related", "itemId": "p00001"}
ACTIONS = {"campaignArn": f"{PREFIX}campaign/demo-actions", "userId": "user-1"}
TITLE = {"metadataColumns": {"ITEMS": ["TITLE", "PRICE"]}}
PROMOTION = {"promotions": [{"name": "deal", "percentPromotedItems": 40}]}

RECOMMEND, ACT = "get_recommendations", "get_action_recommendations"

CALLS = {
    "for a user": (RECOMMEND, FOR_USER),
    "for a user, again": (RECOMMEND, FOR_USER),
    "for a user, many": (RECOMMEND, FOR_USER | {"numResults": 500}),
    "for a user, none": (RECOMMEND, FOR_USER | {"numResults": 0}),
    "with metadata": (RECOMMEND, FOR_USER | TITLE | {"numResults": 50}),
    "promoted": (RECOMMEND, FOR_USER | PROMOTION | {"numResults": 10, "context": {"DEVICE": "mobile"}}),
    "related, by name": (RECOMMEND, RELATED),
    "actions": (ACT, ACTIONS),
    "actions, again": (ACT, ACTIONS),
    "too many": (RECOMMEND, FOR_USER | {"numResults": 501}),
    "too many with metadata": (RECOMMEND, FOR_USER | TITLE | {"numResults": 51}),
    "too many actions": (ACT, ACTIONS | {"numResults": 101}),
    "nobody asked": (RECOMMEND, {"userId": "user-1"}),
    "no such campaign": (RECOMMEND, FOR_USER | {"campaignArn": f"{PREFIX}campaign/other"}),
    "no such filter": (RECOMMEND, FOR_USER | {"filterArn": f"{PREFIX}filter/other"}),
    "wrong recipe": (ACT, {"campaignArn": "related", "userId": "user-1"}),
}


def told(client, method, members):
    """What came back, its headers, and what is wrong with it by the SDK's own service model."""
    try:
        answer = getattr(client, method)(**members)
    except ClientError as error:
        return {"exception": type(error).__name__, "code": error.response["Error"]["Code"]}
    headers = answer.pop("ResponseMetadata")["HTTPHeaders"]
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).output_shape
    return {
        "answer": answer,
        "calls": headers["gateway-upstream-calls"],
        "degraded": headers.get("gateway-degraded"),
        "faults": ParamValidator().validate(answer, shape).generate_report(),
    }


def main(url):
    """Ask, record an event, ask again, print."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("personalize-runtime", endpoint_url=url, config=config, **keys)
    results = {name: told(client, *call) for name, call in CALLS.items()}
    events = boto3.client("personalize-events", endpoint_url=url, config=config, **keys)
    click = {"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p00002"}
    events.put_events(trackingId="demo", userId="user-1", sessionId="s", eventList=[click])
    results["after an event"] = told(client, RECOMMEND, FOR_USER)
    results["actions after an event"] = told(client, ACT, ACTIONS)
    print(json.dumps(results))


main(sys.argv[1])

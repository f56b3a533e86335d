"""A program for an environment of its own: boto3 against a gateway that asks for signatures.

Arguments: address, access key id, secret. Prints one JSON object: what a call came to, by case.
"""

import json
import sys

import boto3
from botocore.config import Config

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


def main(url: str, key_id: str, secret: str) -> None:
    """Ask and print."""

    def client(name: str = "personalize-runtime", **how: str):
        how = {"aws_access_key_id": key_id, "aws_secret_access_key": secret} | how
        return boto3.client(
            name, endpoint_url=url, region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}), **how
        )

    def outcome(asks, **members) -> str:
        try:
            asks(**members)
        except asks.__self__.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return "ok"

    ranking = {"campaignArn": ARN, "userId": "user-17", "inputList": ["p00001", "p00002"]}
    event = {"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p00001"}
    events = client("personalize-events")
    print(
        json.dumps(
            {
                "ranking": outcome(client().get_personalized_ranking, **ranking),
                "large": outcome(
                    client().get_personalized_ranking, **ranking | {"inputList": [f"p{n:05}" for n in range(1, 10_001)]}
                ),
                "session token": outcome(client(aws_session_token="token").get_personalized_ranking, **ranking),
                "events": outcome(events.put_events, trackingId="demo", userId="u", sessionId="s", eventList=[event]),
                "wrong secret": outcome(client(aws_secret_access_key="x" * 40).get_personalized_ranking, **ranking),
                "wrong key": outcome(client(aws_access_key_id="GWAKNOBODY").get_personalized_ranking, **ranking),
                "other campaign": outcome(client().get_personalized_ranking, **ranking | {"campaignArn": ARN + "-x"}),
            }
        )
    )


main(*sys.argv[1:])

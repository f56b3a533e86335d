"""A program for an environment of its own: boto3, as it comes, against the gateway given as its argument.

Prints one JSON object with what came back.
"""

import json
import sys
from itertools import pairwise

import boto3

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


def named(client, **members) -> str:
    """The exception that the SDK raises for the call, by the name under which the client has it."""
    for name in ("InvalidInputException", "ResourceNotFoundException"):
        try:
            client.get_personalized_ranking(**members)
        except getattr(client.exceptions, name):
            return name
        except client.exceptions.ClientError:
            continue
    return "none of the client's own"


def main(url: str) -> None:
    """Ask and print."""
    client = boto3.client(
        "personalize-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    candidates = [f"p{n:05}" for n in range(1, 9_998)]
    unknown = ["no-such-3", "no-such-1", "no-such-2"]
    large = client.get_personalized_ranking(campaignArn=ARN, userId="user-17", inputList=unknown + candidates)
    ranking = large["personalizedRanking"]
    empty = client.get_personalized_ranking(campaignArn=ARN, userId="user-17", inputList=[])
    print(
        json.dumps(
            {
                "count": len(ranking),
                "distinct": len({one["itemId"] for one in ranking}),
                "sum": sum(one["score"] for one in ranking),
                "falling": all(one["score"] >= two["score"] for one, two in pairwise(ranking)),
                "last": [[one["itemId"], one["score"]] for one in ranking[-3:]],
                "recommendationId": large["recommendationId"],
                "requestId": large["ResponseMetadata"]["RequestId"],
                "calls": large["ResponseMetadata"]["HTTPHeaders"]["gateway-upstream-calls"],
                "degraded": large["ResponseMetadata"]["HTTPHeaders"].get("gateway-degraded"),
                "empty": empty["personalizedRanking"],
                "bad ARN": named(client, campaignArn="arn:aws:s3:::bucket", userId="u", inputList=["a"]),
                "unknown campaign": named(client, campaignArn=ARN + "-other", userId="u", inputList=["a"]),
                "long id": named(client, campaignArn=ARN, userId="u" * 257, inputList=["a"]),
            }
        )
    )


main(sys.argv[1])

"""A program for an environment of its own: boto3, as it comes, makes calls. The protocol is that of `clients`."""

import json
import sys
from functools import cache

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


@cache
def client(url, service, key_id, secret, token=None):
    """The SDK's client: nothing but the endpoint is special about it."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=ONCE,
    )


def about(metadata):
    """What every outcome tells."""
    return {
        "status": metadata["HTTPStatusCode"],
        "requestId": metadata.get("RequestId"),
        "headers": {name: value for name, value in metadata["HTTPHeaders"].items() if name.startswith("gateway-")},
    }


def told(sdk, method, members):
    """What became of one call."""
    try:
        answer = getattr(sdk, method)(**members)
    except ClientError as error:
        said = error.response["Error"]
        outcome = {"exception": type(error).__name__, "code": said["Code"], "message": said.get("Message")}
        return outcome | about(error.response["ResponseMetadata"])
    metadata = answer.pop("ResponseMetadata")
    shape = sdk.meta.service_model.operation_model(sdk.meta.method_to_api_mapping[method]).output_shape
    faults = ParamValidator().validate(answer, shape).generate_report() if shape else ""
    return {"answer": answer, "faults": faults} | about(metadata)


def main(url):
    """Make the calls in their order and print."""
    calls = json.load(sys.stdin)
    print(
        json.dumps(
            {
                name: told(client(url, service, *keys), method, members)
                for name, (service, method, members, keys) in calls.items()
            }
        )
    )


main(sys.argv[1])

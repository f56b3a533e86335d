"""A program for an environment of its own: boto3, as it comes, against the emulator given as its argument.

The second argument is a JSON object of calls by name: [client, method, members]. Prints one JSON object by the same
names: what the SDK made of each answer, checked against its own service model, or the error that it raised. A call of
the client `emulator` is a plain request to the routes that are not part of the service.
"""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


def clients(url):
    """The two clients of the service, signing with the emulator's key pair."""
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    names = ("personalize-runtime", "personalize-events")
    return {name: boto3.client(name, endpoint_url=url, config=ONCE, **keys) for name in names}


def told(client, method, members):
    """What came back: the answer, the metadata of the response, and what is wrong with it by the service model."""
    try:
        answer = getattr(client, method)(**members)
    except ClientError as error:
        return {
            "exception": type(error).__name__,
            "code": error.response["Error"]["Code"],
            "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "requestId": error.response["ResponseMetadata"].get("RequestId"),
        }
    metadata = answer.pop("ResponseMetadata")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).output_shape
    report = ParamValidator().validate(answer, shape) if shape else None
    return {
        "answer": answer,
        "requestId": metadata.get("RequestId"),
        "faults": report.generate_report() if report else "",
    }


def asked(url, method, members):
    """A request to the emulator itself."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, "/_emulator/faults", json.dumps(members) if members else None)
    with connection.getresponse() as response:
        return json.load(response)


def main(url, calls):
    """Make the calls in their order and print."""
    of = clients(url)
    results = {}
    for name, (client, method, members) in calls.items():
        made = asked(url, method, members) if client == "emulator" else told(of[client], method, members)
        results[name] = made
    print(json.dumps(results))


main(sys.argv[1], json.loads(sys.argv[2]))

"""boto3 as it comes, with a key pair that the gateway's owner issued: let in by its signature, refused as by AWS."""

from tests.sdk.clients import BOTO3
from tests.sdk.contract import AtSignedGateway


class TestSigned(AtSignedGateway):
    """Under boto3."""

    client = BOTO3

"""boto3, which knows nothing of the gateway, gets everything through it as from the service, by either transport."""

from tests.sdk.clients import BOTO3
from tests.sdk.contract import AtGateway
from tests.sdk.endpoints import REFERENCE


class TestLean(AtGateway):
    """Under boto3."""

    client = BOTO3


class TestReference(AtGateway):
    """By way of aiobotocore."""

    client = BOTO3
    endpoint = REFERENCE

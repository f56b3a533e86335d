"""boto3, which knows nothing of the emulator, calls all four operations and meets every documented error."""

from tests.sdk.clients import BOTO3
from tests.sdk.contract import AtEmulator


class TestEmulator(AtEmulator):
    """Under boto3."""

    client = BOTO3

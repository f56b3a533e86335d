"""The AWS SDK for JavaScript, which knows nothing of emulator and gateway, calls all and meets every documented error.

Not part of `make test`: it needs Node.js. `make test-sdks` sets it up, and runs this.
"""

from tests.sdk.clients import JAVASCRIPT
from tests.sdk.contract import AtEmulator, AtGateway, AtSignedGateway, Contract, Told


class _Sided(Contract):
    """This SDK also says whose fault an error is."""

    client = JAVASCRIPT

    def test_whose_fault_it_is(self, told: Told, refused: str) -> None:
        """A status of 500 and above is the server's, any other the client's."""
        assert told[refused]["fault"] == ("server" if told[refused]["status"] >= 500 else "client")


class TestEmulator(_Sided, AtEmulator):
    """Under the SDK for JavaScript."""


class TestGateway(_Sided, AtGateway):
    """Under the SDK for JavaScript."""


class TestSigned(_Sided, AtSignedGateway):
    """Under the SDK for JavaScript."""

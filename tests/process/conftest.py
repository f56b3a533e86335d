"""An emulator and a gateway in front of it, as processes that all tests share; an endpoint that is one test's own."""

from collections.abc import Iterator

import pytest

from tests.process.parts import Running, environment, running, signed
from tests.process.served import Hanging


@pytest.fixture(scope="session")
def emulator() -> Iterator[Running]:
    """A local Personalize Runtime with the built-in store."""
    with running("emulate", "--port", "0", env=environment()) as process:
        yield process


@pytest.fixture(scope="session")
def gateway(emulator: Running) -> Iterator[Running]:
    """A gateway in front of the emulator."""
    with running("serve", "--port", "0", env=signed(emulator.url)) as process:
        yield process


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """An endpoint that answers when it is let go."""
    endpoint = Hanging()
    yield endpoint
    endpoint.close()

"""What the classes of `contract` are given: the outcomes of all calls, made once a class, and the calls' names.

And what the README's examples are given: a demo.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.readme import demo

pytest.register_assert_rewrite("tests.sdk.contract")


@pytest.fixture(scope="class")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the class's client got from the class's endpoint, by the names of the calls."""
    client, endpoint = request.cls.client, request.cls.endpoint
    with endpoint.opened(tmp_path_factory.mktemp("endpoint")) as place:
        outcomes: dict[str, Any] = client.asks(place.url, endpoint.calls)
    return outcomes


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the gateway of a demo serves on."""
    with demo() as gateway:
        yield gateway


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`answered` and `refused` are each call of the class's endpoint."""
    for argument in ("answered", "refused"):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, getattr(metafunc.cls.endpoint, argument))

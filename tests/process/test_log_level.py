"""The level of a running gateway: changed from outside, and telling nothing of users at any level."""

import http.client

import orjson
import pytest

from tests.process.parts import WITHIN_S, Running, running, signed

CANARY = "canary-user-91d0"


def send(port: int, method: str, path: str, members: object) -> int:
    """The status of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request(method, path, orjson.dumps(members), {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


@pytest.mark.parametrize("transport", ["lean", "aiobotocore"])
def test_a_level_is_put_in_force_at_run_time(emulator: Running, transport: str) -> None:
    """Set to warning a request leaves no line; put to debug it leaves what calls were made; put to error none again.
    Neither transport's libraries print a body, whatever the level."""
    environment = signed(emulator.url, GATEWAY_LOG__LEVEL="warning", GATEWAY_TRANSPORT=transport)
    with running("serve", "--port", "0", env=environment) as gateway:
        for level in (None, "debug", "error"):
            if level:
                assert send(gateway.port, "PUT", "/v1/log-level", {"level": level}) == 200
            ranking = {"campaign": "demo", "userId": f"{CANARY}-{level}", "inputList": ["p00001", CANARY]}
            assert send(gateway.port, "POST", "/v1/rerank", ranking) == 200
        gateway.process.terminate()
        _, err = gateway.process.communicate(timeout=WITHIN_S)
    events = [(line["level"], line["event"], line.get("route")) for line in map(orjson.loads, err.splitlines())]
    assert events == [
        ("warning", "log level changed", None),
        ("info", "request", "/v1/log-level"),
        ("debug", "calls made", None),
        ("info", "request", "/v1/rerank"),
    ]
    assert CANARY not in err

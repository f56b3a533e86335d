"""One ranking, asked for over HTTP."""

from typing import Any
from urllib.request import Request, urlopen

import orjson

from tests.process.parts import WITHIN_S

ASKED = {"campaign": "demo", "userId": "u", "inputList": [f"p{number:05}" for number in range(1, 101)]}


def rank(url: str) -> dict[str, Any]:
    """The answer of a gateway in front of the emulator's built-in store."""
    body = orjson.dumps({**ASKED, "deadlineMs": 20_000})
    request = Request(f"{url}/v1/rerank", body, {"Content-Type": "application/json"})  # noqa: S310 - our own gateway
    with urlopen(request, timeout=WITHIN_S) as answer:  # noqa: S310
        ranked: dict[str, Any] = orjson.loads(answer.read())
    return ranked

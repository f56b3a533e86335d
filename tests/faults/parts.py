"""What the tests of faults share: a whole gateway in front of an endpoint, and the invariants of every answer.

I1 the answer is a permutation of what was asked. I2 it is this user's. I3 it comes: nothing outlasts `WITHIN_S`, far
below the timeouts of the libraries. I4 an order that is not wholly the model's is flagged. I5 nothing is left over.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp.test_utils import TestClient

from gateway.core.errors import InvalidInput
from gateway.service.service import Service
from gateway.web.problems import TABLE
from tests.support.canaries import MARK
from tests.support.model_upstream.logits import worst_inversion
from tests.support.model_upstream.server import ModelUpstream

NATIVE: Final = "/v1/rerank"
WIRE: Final = "/personalize-ranking"

WITHIN_S: Final = 15.0
"""Only ends a test that would hang: the libraries themselves would wait for 60 s."""

LONG_MS: Final = 10_000
"""A deadline that no test meets, for tests that are about something else."""

SHORT_MS: Final = 300
"""A deadline that is met, where a fault never ends by itself."""

AMPLE_MS: Final = 1_500
"""A deadline that is met by what never ends, and by nothing else, busy as the machine may be."""

CLOSE_CALL: Final = 0.02
"""Items whose logits differ by less may stand in either order, if different calls scored them: scores are rounded."""

CODES: Final = {row.slug: row.code for row in TABLE.values()}
WIRE_STATUS: Final = {TABLE[InvalidInput].slug: 400}
"""Where the wire's status is another than the native one."""


def arn_of(name: str) -> str:
    """The ARN of a campaign."""
    return f"arn:aws:personalize:us-east-1:000000000000:campaign/{name}"


def items(count: int) -> list[str]:
    """So many candidates."""
    return [f"item-{number}" for number in range(count)]


@dataclass(frozen=True)
class Said:
    """What the gateway said to one request."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def order(self) -> list[str]:
        """The ids, best first."""
        return [entry["itemId"] for entry in self.body["personalizedRanking"]]

    @property
    def flag(self) -> str | None:
        """Why the answer is not whole, if it is not; both doors say it in a header."""
        return self.headers.get("Gateway-Degraded")

    @property
    def slug(self) -> str:
        """The kind of problem, by either door (which tells by code, so some share theirs); empty for an answer."""
        if "type" in self.body:
            return str(self.body["type"]).rpartition(":")[2]
        code = self.headers.get("x-amzn-ErrorType")
        return next((slug for slug, known in CODES.items() if known == code), "")


@dataclass(frozen=True)
class Gateway:
    """A gateway on a real socket, and what is behind it."""

    client: TestClient[Any, Any]
    service: Service
    upstream: ModelUpstream

    async def ask(
        self, campaign: str, user: str, candidates: list[str], *, path: str = NATIVE, deadline_ms: int | None = None
    ) -> Said:
        """One request. What comes back keeps the invariants, whatever it is."""
        user, name = f"{MARK}-{user}", "campaign" if path == NATIVE else "campaignArn"
        members: dict[str, Any] = {name: campaign, "userId": user, "inputList": candidates}
        if deadline_ms is not None:
            members["deadlineMs"] = deadline_ms
        async with asyncio.timeout(WITHIN_S):
            response = await self.client.post(
                path, data=orjson.dumps(members), headers={"Content-Type": "application/json"}
            )
            said = Said(response.status, response.headers, orjson.loads(await response.read()))
        check(said, user, candidates)
        return said

    async def at_rest(self, tasks: int) -> None:
        """Wait until nothing is under way any more: no call upstream, no more tasks than there were."""
        async with asyncio.timeout(WITHIN_S):
            while self.upstream.stats.in_flight or gateway_tasks() > tasks:
                await asyncio.sleep(0.005)


def gateway_tasks() -> int:
    """Tasks that are neither the tests' own servers nor one a caller's connection (which callers may keep)."""
    codes = [getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()]
    foreign = ("/tests/support/", "/aiohttp/web_protocol.py")
    return sum(code is None or not any(place in code.co_filename for place in foreign) for code in codes)


def check(said: Said, user: str, candidates: list[str]) -> None:
    """The invariants of one answer."""
    assert user not in str(said.body), "an answer never repeats the user's id"
    if said.status != 200:
        assert said.status in {404, 422, 429, 503, 504, 400}
        assert said.slug
        return
    entries = said.body["personalizedRanking"]
    assert sorted(said.order) == sorted(candidates)
    ranked = [entry["itemId"] for entry in entries if "score" in entry]
    assert ranked == said.order[: len(ranked)], "what has no score stands behind what has one"
    assert worst_inversion(user, ranked) <= CLOSE_CALL
    scores = [entry["score"] for entry in entries[: len(ranked)]]
    assert all(math.isfinite(score) and 0.0 <= score <= 1.0 for score in scores)
    assert not scores or math.isclose(sum(scores), 1.0, abs_tol=1e-6)
    known = set(ranked)
    left = [item for item in candidates if item not in known]
    assert said.order[len(ranked) :] == left, "what could not be ranked keeps the caller's order"
    assert (said.flag is None) == (not left), "an order that is not wholly the model's is flagged"
    assert said.body.get("degraded") == (said.flag if "degraded" in said.body else None)


def whole(said: Said) -> bool:
    """Whether the answer is the full promise (`check` has seen to its order)."""
    return said.status == 200 and said.flag is None

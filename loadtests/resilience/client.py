"""An open-loop client: sends rankings at a rate, and notes how each was answered."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import aiohttp
import numpy as np
import orjson

GIVE_UP_S: Final = 60.0

_users = (f"user-{number}" for number in count())
"""A new one for every request, so that nothing is cached."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. `whole` means 200, not degraded, with all items; `kept_promise` any answer of the documented kind."""

    sent_s: float
    took_s: float
    status: int
    degraded: str | None
    whole: bool
    retry_after: bool


@dataclass
class Load:
    """What was seen, in the order of sending."""

    seen: list[Seen] = field(default_factory=list)

    def between(self, begin_s: float, end_s: float) -> "Load":
        """The part that was sent in this time."""
        return Load([one for one in self.seen if begin_s <= one.sent_s < end_s])

    def only(self, keep: Callable[[Seen], bool]) -> "Load":
        """The part that fits."""
        return Load([one for one in self.seen if keep(one)])

    def ms(self, quantile: float) -> float:
        """A quantile of the times, in milliseconds; NaN of nothing."""
        return float(np.quantile([1e3 * one.took_s for one in self.seen], quantile)) if self.seen else float("nan")

    @property
    def whole(self) -> int:
        """Whole answers."""
        return sum(one.whole for one in self.seen)

    def kinds(self) -> dict[str, int]:
        """How many answers of each kind there were."""
        kinds: dict[str, int] = {}
        for one in self.seen:
            name = f"{one.status} {one.degraded}" if one.degraded else str(one.status)
            kinds[name] = kinds.get(name, 0) + 1
        return dict(sorted(kinds.items()))


class Client:
    """Sends rankings of the same candidates, each for a new user. Use as an async context manager."""

    def __init__(self, gateway: str, candidates: int, campaign: str = "demo", deadline_ms: int | None = None) -> None:
        self._url = f"{gateway}/v1/rerank"
        self._candidates = candidates
        listed = orjson.dumps([f"item-{number:06}" for number in range(candidates)])
        deadline = b"" if deadline_ms is None else b',"deadlineMs":%d' % deadline_ms
        self._rest = b'","campaign":"%b","inputList":%b%b}' % (campaign.encode(), listed, deadline)

    async def __aenter__(self) -> "Client":
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(GIVE_UP_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self) -> Seen:
        """One ranking."""
        sent_s = time.monotonic()
        body = b'{"userId":"' + next(_users).encode() + self._rest
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                answer = await response.read()
        except aiohttp.ClientError:
            return Seen(sent_s, time.monotonic() - sent_s, 0, None, whole=False, retry_after=False)
        took_s = time.monotonic() - sent_s
        degraded = response.headers.get("Gateway-Degraded")
        items = answer.count(b'"itemId"') if response.status == 200 else 0
        return Seen(
            sent_s,
            took_s,
            response.status,
            degraded,
            whole=items == self._candidates and degraded is None,
            retry_after="Retry-After" in response.headers,
        )

    async def at_rate(self, per_s: float, seconds: float) -> Load:
        """Rankings evenly spaced, for so long, whatever becomes of them."""
        load, began_s = Load(), time.monotonic()

        async def one() -> None:
            load.seen.append(await self.ask())

        async with asyncio.TaskGroup() as group:
            for number in range(int(per_s * seconds)):
                late_s = began_s + number / per_s - time.monotonic()
                if late_s > 0:
                    await asyncio.sleep(late_s)
                group.create_task(one())
        load.seen.sort(key=lambda one: one.sent_s)
        return load

    async def closed(self, workers: int, seconds: float) -> Load:
        """As many rankings as so many callers get answered, each asking again at once."""
        load, until_s = Load(), time.monotonic() + seconds

        async def one() -> None:
            while time.monotonic() < until_s:
                load.seen.append(await self.ask())

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(one())
        return load


async def warm_up(clients: Sequence[Client], rankings: int) -> None:
    """Open connections, and let the gateway learn how long calls take."""
    for client in clients:
        for _ in range(rankings):
            await client.ask()

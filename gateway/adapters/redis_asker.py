"""Commands in, replies or None out: the one place where store trouble ends.

    breaker says no      skipped, at once
    no room              bypassed, at once
    a load as a probe    sent, and None at once: the outage costs no request a wait
    else                 waited for, at most the budget; then abandoned

Every operation gets one verdict: by its caller when the budget is over, else by the end of its task. A probe is judged
by its end alone, since one that is late (a cluster client that learns its topology anew takes 30 ms) still tells that
somebody is there; so is an operation whose caller was cancelled.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.adapters.redis_client import Client, make_client, make_tls, patience_s
from gateway.adapters.redis_faults import SERVER_CHANGED, reason_of
from gateway.adapters.redis_operations import Left, Operation, Operations
from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_side import Side
from gateway.core.breaker import Permit

RENEW_AFTER: Final = 5
"""Read probes that fail in a row until the client is made anew from its URL: cluster clients have been seen to lose
their way for good when all nodes were away at once."""


@dataclass(slots=True)
class RedisStats:
    """Numbers since the start. A load is a hit or a miss, whatever the miss came from.

    Not asked at all: `skipped` because the breaker was open, `bypassed` because too much was outstanding.
    """

    hits: int = 0
    misses: int = 0
    saves: int = 0
    bumps: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    abandoned: int = 0
    bypassed: int = 0
    skipped: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


class Malformed(Exception):
    """A reply that the command does not give: somebody else's, or garbage."""


class Asker:
    """Asks one store, and never raises for trouble with it."""

    def __init__(self, options: RedisOptions) -> None:
        self.stats = RedisStats()
        self.reads = Side("reads")
        self.writes = Side("writes")
        self.scripts = Side("scripts")
        self.operations = Operations(options.connections_max)
        self._options = options
        self._tls = make_tls(options)
        self._client = make_client(options, self._tls)
        self._chores: set[asyncio.Task[None]] = set()
        self._closed = False

    async def ask(self, side: Side, budget_s: float, *command: str | bytes | int, shadow: bool = False) -> Any:
        """The reply, or None. As `shadow`, a probe is not waited for, and what is left is not sent."""
        if self._closed or self.operations.full:
            self.stats.bypassed += 1
            return None
        permit = side.ask(asyncio.get_running_loop().time())
        if permit is None:
            self.stats.skipped += 1
            return None
        asked = _Asked(self, side, permit, budget_s)
        operation = self.operations.start(lambda: self._replied(command), asked.ended)
        if permit.probe and shadow:
            return None
        return await self._waited(asked, operation, needless=shadow)

    async def aclose(self) -> None:
        """Let outstanding operations end, and close every connection."""
        self._closed = True
        await self.operations.drain(patience_s(self._options))
        for chore in self._chores:
            chore.cancel()
        if self._chores:
            await asyncio.wait(self._chores)
        await self._client.aclose()

    def failed(self, side: Side, permit: Permit, reason: str) -> None:
        """Count a failure; when the breaker opens over it (again), do what may help."""
        self.stats.errors[reason] += 1
        opened = side.failed(permit, reason, asyncio.get_running_loop().time())
        if not opened or self._closed:
            return
        if reason in SERVER_CHANGED:
            self._start_chore(self._client.reconnect())
        elif side is self.reads and side.probes_failed and side.probes_failed % RENEW_AFTER == 0:
            old, self._client = self._client, make_client(self._options, self._tls)
            self._start_chore(_retire(old, patience_s(self._options)))

    async def _waited(self, asked: "_Asked", operation: Operation, *, needless: bool) -> Any:
        """Wait for the reply. A write whose caller was cancelled is still wanted; a read is not."""
        try:
            done = await operation.done_within(asked.budget_s)
        except asyncio.CancelledError:
            self.stats.abandoned += 1
            operation.left = needless
            raise
        if done:
            return None if operation.task.cancelled() or operation.task.exception() else operation.task.result()
        self.stats.abandoned += 1
        if not asked.permit.probe:
            operation.left = True
            asked.judge("timeout")
        return None

    async def _replied(self, command: tuple[str | bytes | int, ...]) -> Any:
        reply = await self._client.execute(*command)
        if not (_are_values(reply, len(command) - 1) if command[0] == "MGET" else reply is True or reply == b"OK"):
            raise Malformed
        return reply

    def _start_chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.get_running_loop().create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)


@dataclass(slots=True)
class _Asked:
    """One operation and its verdict, which is given once."""

    asker: Asker
    side: Side
    permit: Permit
    budget_s: float
    judged: bool = False

    def judge(self, reason: str | None, *, late: bool = False) -> None:
        """It failed for this reason, or succeeded."""
        if self.judged:
            return
        self.judged = True
        if reason is not None:
            self.asker.failed(self.side, self.permit, reason)
        else:
            self.side.succeeded(self.permit, asyncio.get_running_loop().time(), late=late)

    def ended(self, operation: Operation) -> None:
        """The task is done, whoever still waits for it."""
        task, now_s = operation.task, asyncio.get_running_loop().time()
        error = None if task.cancelled() else task.exception()
        late = now_s - operation.started_s > self.budget_s
        if task.cancelled() or isinstance(error, Left):
            self.judged = True
            self.side.untold(self.permit, now_s)
        elif error is not None:
            self.judge("protocol" if isinstance(error, Malformed) else reason_of(error))
        else:
            self.judge(None, late=late and self.permit.probe)


async def _retire(client: Client, after_s: float) -> None:
    """Close a client when what it has under way is over."""
    try:
        await asyncio.sleep(after_s)
    finally:
        await client.aclose()


def _are_values(reply: object, count: int) -> bool:
    """Whether it is what an MGET of so many keys gives."""
    return isinstance(reply, list) and len(reply) == count and all(one is None or type(one) is bytes for one in reply)

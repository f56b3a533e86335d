"""Permits: what stands between a call that is wanted and a call that is made, per campaign.

Today: a bound on calls under way at once, an optional ceiling on calls per second, and a turn for every replica. This
is the seam for what decides whether, when and where a call goes: adaptive limits, breakers, budgets and hedges.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Final

from gateway.core.limit import RateCeiling
from gateway.core.routing import Campaign
from gateway.ports import Clock

GATES_MAX: Final = 1_000
"""Gates kept at once. Only where no campaign is configured can callers make new ones, by naming ARNs."""


class Gate:
    """The permits of one campaign."""

    def __init__(self, campaign: Campaign, clock: Clock) -> None:
        self._campaign = campaign
        self._clock = clock
        self._room = asyncio.Semaphore(campaign.concurrency_max)
        self._rate = RateCeiling(campaign.tps) if campaign.tps else None
        self._turn = cycle(campaign.arns)
        self.in_flight = 0

    def __repr__(self) -> str:
        return f"<Gate {self._campaign.name} in_flight={self.in_flight}/{self._campaign.concurrency_max}>"

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[str]:
        """Hold a permit for one call; yields the ARN that the call goes to. Waits as long as the caller lets it."""
        async with self._room:
            if self._rate is not None and (wait_s := self._rate.take(self._clock.now_s())) > 0.0:
                await asyncio.sleep(wait_s)
            self.in_flight += 1
            try:
                yield next(self._turn)
            finally:
                self.in_flight -= 1


class Gates:
    """One gate for every campaign that was called."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: OrderedDict[str, Gate] = OrderedDict()

    def of(self, campaign: Campaign) -> Gate:
        """The gate of the campaign; the least recently used idle one makes room for a new one."""
        gate = self._gates.get(campaign.name)
        if gate is None:
            gate = self._gates[campaign.name] = Gate(campaign, self._clock)
            if len(self._gates) > GATES_MAX:
                self._drop_idle()
        self._gates.move_to_end(campaign.name)
        return gate

    def _drop_idle(self) -> None:
        idle = next((name for name, gate in self._gates.items() if not gate.in_flight), None)
        if idle is not None:
            del self._gates[idle]

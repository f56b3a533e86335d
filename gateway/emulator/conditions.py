"""Under which conditions the next call of a campaign is answered: how long it takes, and what goes wrong with it.

For each campaign holds what is set nearest to it: faults of its own before those of all campaigns; of latencies, those
of the faults that hold, before the campaign's, before those of the top level. Every campaign has dice, latencies and a
capacity of its own, so calls of one do not change what happens to another. PutEvents is the campaign EVENTS here; what
holds for all campaigns does not hold for it.
"""

import hashlib
from typing import Final, NamedTuple

from gateway.emulator.campaigns import DEMO
from gateway.emulator.capacity import Capacity
from gateway.emulator.config import CampaignConfig, EmulatorConfig
from gateway.emulator.errors import ServiceError
from gateway.emulator.faults import Dice, Fault, Faults
from gateway.emulator.latency import Latency
from gateway.emulator.timing import Timing

EVENTS: Final = "events"
NONE: Final = Faults()


class Condition(NamedTuple):
    """What happens to one call: it waits, and perhaps meets a fault (`faults` has its details)."""

    delay_s: float
    fault: Fault
    faults: Faults


class _Streams(NamedTuple):
    faults: Faults
    dice: Dice
    latency: Latency
    capacity: Capacity | None


class Conditions:
    """What holds now, for every campaign; `order` and `clear` change it."""

    def __init__(self, config: EmulatorConfig) -> None:
        self._top: Timing = config
        self._seed = config.seed
        self._campaigns: dict[str, CampaignConfig] = {one.arn: one for one in config.campaigns or DEMO}
        self._all = config.faults
        self._own = {one.arn: one.faults for one in config.campaigns if one.faults is not None}
        self._streams: dict[str, _Streams] = {}

    def __repr__(self) -> str:
        return f"Conditions(all={self._all!r}, own={len(self._own)})"

    def next(self, arn: str, now: float) -> Condition:
        """What happens to a call that arrives now; calls of unknown campaigns share what holds for all."""
        name = arn if arn in self._campaigns or arn == EVENTS else ""
        streams = self._streams.get(name)
        if streams is None:
            streams = self._streams[name] = self._begin(name)
        delay_s, fault = streams.latency.draw_s(), streams.dice.fall()
        if streams.capacity is not None and not streams.capacity.admit(now):
            fault = Fault("throttle", 0.0)
        return Condition(delay_s, fault, streams.faults)

    def order(self, faults: Faults, arn: str | None) -> None:
        """Let faults hold for one campaign, or for all that have none of their own; dice begin anew.

        Raises:
            ServiceError: ResourceNotFoundException if there is no such campaign.
        """
        if arn is None:
            self._all = faults
        elif arn in self._campaigns or arn == EVENTS:
            self._own[arn] = faults
        else:
            raise ServiceError("ResourceNotFoundException", f"Campaign with ARN {arn} not found")
        self._streams.clear()

    def clear(self) -> None:
        """Let nothing go wrong any more, whatever the file says."""
        self._all = NONE
        self._own.clear()
        self._streams.clear()

    def ordered(self) -> dict[str, object]:
        """The faults that hold, for people."""
        return {"all": self._all, "campaigns": self._own}

    def _begin(self, name: str) -> _Streams:
        stream = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")
        faults = self._own.get(name, NONE if name == EVENTS else self._all)
        campaign = self._campaigns.get(name)
        levels: list[Timing] = [faults] if campaign is None else [faults, campaign]
        if name != EVENTS:
            levels.append(self._top)
        timing = next((one for one in levels if one.latency_ms is not None), Timing())
        floor_tps = faults.tps or (campaign.tps if campaign else 0.0)
        return _Streams(
            faults=faults,
            dice=Dice(faults, stream),
            latency=Latency(
                median_ms=timing.latency_ms or 0.0,
                sigma=timing.latency_sigma,
                slow_share=timing.slow_share,
                slow_ms=timing.slow_ms,
                seed=[self._seed, faults.seed, stream],
            ),
            capacity=Capacity(floor_tps, faults.scale_up_s) if floor_tps else None,
        )

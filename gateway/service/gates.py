"""All gates: one for every campaign, or variant of one, that is called."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from gateway.core.routing import Campaign
from gateway.ports import Clock
from gateway.service.gate import Gate
from gateway.service.gate_numbers import Gone

GATES_MAX: Final = 1_000
"""Gates kept at once. Only where no campaign is configured can callers make new ones, by naming ARNs."""


class Gates:
    """One gate for every campaign that was called; `gone` has the numbers of those that had to make room."""

    def __init__(self, clock: Clock) -> None:
        self.gone = Gone()
        self._clock = clock
        self._gates: OrderedDict[str, Gate] = OrderedDict()

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates.values())

    def of(self, campaign: Campaign) -> Gate:
        """The gate of the campaign; the least recently used idle one makes room for a new one."""
        gate = self._gates.get(campaign.key)
        if gate is None:
            gate = self._gates[campaign.key] = Gate(campaign, self._clock)
            if len(self._gates) > GATES_MAX:
                self._drop_idle()
        self._gates.move_to_end(campaign.key)
        return gate

    def _drop_idle(self) -> None:
        idle = next((name for name, gate in self._gates.items() if not gate.in_flight and not gate.waiting), None)
        if idle is not None:
            self.gone.add(self._gates.pop(idle))

"""What the emulator was asked: plain counters on one object, rendered by control.py.

A call counts from its arrival, signed or not; what it asked for counts once it was understood and answered, so
`calls` is the sum of the answered ones, `errors` and those in flight. PutEvents has two counters of its own, and of
the others touches `calls_by_operation` and `faults` alone.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

PUT_EVENTS: Final = "PutEvents"


class Stats(msgspec.Struct, rename="camel"):
    """Counters since the start or the last reset: of calls of the runtime, but for the last two.

    `items` is the sum of the answered lists (as sent for rankings, as given for the others), `sizes` their histogram
    (length to calls), `errors` the calls that were refused, failed or abandoned, `max_in_flight` the most calls that
    were open at once (`max_in_flight_by_campaign` by the ARN they named, if it is served), `calls_by_campaign` the
    answered calls, `calls_by_operation` all that arrived, `faults` what was made to happen, by kind. `event_calls` are
    PutEvents calls from their arrival, `events` those that were accepted, whether or not they moved anything.
    """

    calls: int = 0
    items: int = 0
    errors: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    sizes: Counter[int] = msgspec.field(default_factory=Counter)
    calls_by_campaign: Counter[str] = msgspec.field(default_factory=Counter)
    calls_by_operation: Counter[str] = msgspec.field(default_factory=Counter)
    in_flight_by_campaign: Counter[str] = msgspec.field(default_factory=Counter)
    max_in_flight_by_campaign: Counter[str] = msgspec.field(default_factory=Counter)
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    event_calls: int = 0
    events: int = 0

    @contextmanager
    def calling(self, operation: str) -> Iterator[None]:
        """Count one call, from its arrival to its end."""
        self.calls += 1
        self.calls_by_operation[operation] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        except BaseException:  # a client that leaves cancels its call
            self.errors += 1
            raise
        finally:
            self.in_flight -= 1

    @contextmanager
    def calling_campaign(self, arn: str | None) -> Iterator[None]:
        """Count one call of a campaign, from when it was understood to its end; None is not counted."""
        if arn is None:
            yield
            return
        self.in_flight_by_campaign[arn] += 1
        self.max_in_flight_by_campaign |= self.in_flight_by_campaign
        try:
            yield
        finally:
            self.in_flight_by_campaign[arn] -= 1
            self.in_flight_by_campaign += Counter()  # without those at 0

    def faulty(self, kind: str | None) -> None:
        """Count what is made to happen to a call, if anything is."""
        if kind is not None:
            self.faults[kind] += 1

    def answered(self, campaign_arn: str, items: int) -> None:
        """Count what an answered call was about."""
        self.items += items
        self.sizes[items] += 1
        self.calls_by_campaign[campaign_arn] += 1

    def reset(self) -> None:
        """Start counting anew; calls that are open stay in flight."""
        self.calls = self.items = self.errors = self.event_calls = self.events = 0
        self.max_in_flight = self.in_flight
        for counter in (self.sizes, self.calls_by_campaign, self.calls_by_operation, self.faults):
            counter.clear()
        self.max_in_flight_by_campaign = +self.in_flight_by_campaign

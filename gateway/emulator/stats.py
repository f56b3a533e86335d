"""What the emulator was asked: plain counters on one object, rendered by control.py.

A call counts from its arrival, signed or not; what it asked for counts once it was understood and answered, so
`calls` is the sum of the answered ones, `errors` and those in flight.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Stats(msgspec.Struct, rename="camel"):
    """Counters of ranking calls since the start or the last reset.

    `items` is the sum of the answered lists as sent, `sizes` their histogram (length to calls), `errors` the calls
    that were refused, failed or abandoned, `max_in_flight` the most calls that were open at once.
    """

    calls: int = 0
    items: int = 0
    errors: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    sizes: Counter[int] = msgspec.field(default_factory=Counter)
    calls_by_campaign: Counter[str] = msgspec.field(default_factory=Counter)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Count one call, from its arrival to its end."""
        self.calls += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        except BaseException:  # a client that leaves cancels its call
            self.errors += 1
            raise
        finally:
            self.in_flight -= 1

    def answered(self, campaign_arn: str, items: int) -> None:
        """Count what an answered call was about."""
        self.items += items
        self.sizes[items] += 1
        self.calls_by_campaign[campaign_arn] += 1

    def reset(self) -> None:
        """Start counting anew; calls that are open stay in flight."""
        self.calls = self.items = self.errors = 0
        self.max_in_flight = self.in_flight
        self.sizes.clear()
        self.calls_by_campaign.clear()

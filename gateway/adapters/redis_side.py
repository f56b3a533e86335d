"""Reads, writes or scripts: when they are tried, why they failed, and what is logged of it.

Reads and writes are two sides with a breaker each. A store that refuses writes (full, a read-only replica) goes on
answering reads, and its refusals count against writes alone; a dead one stops both, each after its own failures, of
which only those of reads are waited for by requests. Scripts are a third side: a server may forbid them and be well.

An episode begins with the first failure and ends with the first success after a quiet second: two lines in the log,
however many operations failed in between, without keys, values, addresses or the text of an error.
"""

from collections import Counter
from typing import Final, Literal

import structlog

from gateway.core.breaker import Breaker, Permit, Rules, Verdict
from gateway.core.episode import Episode

RULES: Final = Rules(failures_in_row=10, failure_share=0.5, calls_min=20, window_s=5.0, open_s=0.5)
"""Ten failures one after the other cost 10 x 20 ms at worst. Half a second between probes, which no request waits for,
so that one that meets a cluster still electing leaves time for two more within the two seconds allowed."""

QUIET_S: Final = 1.0
"""Failures less than this apart are one episode: a store that drops one command in a hundred logs once, not always."""

_log = structlog.get_logger("gateway.redis")


class Side:
    """The reads, the writes or the scripts of one store."""

    def __init__(self, name: Literal["reads", "writes", "scripts"]) -> None:
        self.name = name
        self.breaker = Breaker(RULES)
        self.errors: Counter[str] = Counter()
        self.probes_failed = 0
        self._trouble = Episode(QUIET_S)

    def __repr__(self) -> str:
        return f"<Side {self.name} {self.breaker!r} errors={dict(self.errors)}>"

    def ask(self, now_s: float) -> Permit | None:
        """Leave to try one operation."""
        return self.breaker.ask(now_s)

    def succeeded(self, permit: Permit, now_s: float, *, late: bool) -> None:
        """An operation was answered (late: a probe was, after its caller's time)."""
        self.breaker.tell(permit, Verdict.LATE if late else Verdict.GOOD, now_s)
        if late:
            return
        self.probes_failed = 0
        if ended := self._trouble.good(now_s):
            _log.warning("frame store works again", side=self.name, **ended.told())

    def failed(self, permit: Permit, reason: str, now_s: float) -> bool:
        """An operation failed. Whether the breaker has just opened, or a probe found it rightly so."""
        self.errors[reason] += 1
        self.probes_failed += permit.probe
        if self._trouble.bad(now_s):
            _log.warning("frame store fails", side=self.name, reason=reason)
        opened = self.breaker.opened
        self.breaker.tell(permit, Verdict.FAILED, now_s)
        return self.breaker.opened > opened

    def untold(self, permit: Permit, now_s: float) -> None:
        """An operation ended without saying anything about the store."""
        self.breaker.tell(permit, Verdict.UNKNOWN, now_s)

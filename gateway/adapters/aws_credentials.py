"""Credentials that are renewed in the background, one question at a time, and used until they truly expire.

A signer takes what is there (`current`), and never waits: there is no lock on the way of a request, so a slow source
makes no queue and a failing one no failed call, as long as what is held is valid. One task asks the source: ahead of
the end, again after a failure, and when upstream refused what it was sent (`renewed`). It is the only one that does, so
there is never more than one question under way, and who stops waiting for its answer takes nobody along.

The rules it keeps:

- What is held is replaced by something usable only. A source that has nothing, or half, or expired ones, has failed.
- A walk along the chain may end at another source when the usual one is away (a file that is being written, and the
  role of the machine behind it). While those held are good, that is a failure too: the gateway never changes its
  identity unasked.
- No key is in any repr, log line, or health; of an error only its class is told.

When to ask is decided in `core.renewal`. The wall clock judges expiry, as upstream does; a wrong one shows itself as a
refusal upstream. (The `Date` of such an answer is not used: it could correct the signer's clock, which is not here.)
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from gateway.adapters.aws_chain import Found
from gateway.core.renewal import Renewal, State, state_of, window_s

ATTEMPT_S: Final = 10.0
"""One question to the source: an STS call takes 0.1 s, the SDK's own three tries of an endpoint that is away 9 s."""

CHECK_S: Final = 30.0
"""How often the wall clock is looked at while waiting: it may have been set."""

CLOCK_STEP_S: Final = 1e-3
"""What is due sooner than the loop's clock moves is due now."""

Source = Callable[[], Awaitable[Found | None]]

_log = logging.getLogger(__name__)


class KeptCredentials:
    """The credentials in use, and the task that keeps them so. Use as an async context manager.

    It also is what aiobotocore's session takes for a credential provider and its clients for credentials.
    """

    def __init__(
        self, source: Source, *, wall_s: Callable[[], float] = time.time, random: Random | None = None
    ) -> None:
        self.refreshes = 0
        self.failures = 0
        self._failed_in_row = 0
        self._source = source
        self._wall_s = wall_s
        self._random = random or Random()  # noqa: S311 - spreads questions; nothing secret
        self._renewal = Renewal()
        self._held: Found | None = None
        self._rejected: ReadOnlyCredentials | None = None
        self._window_s = math.inf
        self._held_since_s = 0.0
        self._failing_since_s: float | None = None
        self._last_error: str | None = None
        self._asking = False
        self._wanted = asyncio.Event()
        self._round = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<KeptCredentials {self.state} of {self.method} refreshes={self.refreshes} failures={self.failures}>"

    async def __aenter__(self) -> "KeptCredentials":
        """Ask the source once; that it has nothing is no error, it may have later."""
        first = self._round
        self._task = asyncio.get_running_loop().create_task(self._keep())
        self._task.add_done_callback(_tell)
        try:
            await first.wait()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])

    # --- for signers ---------------------------------------------------------------------------------

    def current(self) -> ReadOnlyCredentials:
        """The keys to sign with now, at once. Raises `NoCredentialsError` when there are none, or expired ones."""
        if self._held is None or self._held.expires_s <= self._wall_s():
            raise NoCredentialsError
        return self._held.keys

    @property
    def usable(self) -> bool:
        """Whether `current` has something to give."""
        return self.state in (State.VALID, State.EXPIRING)

    async def renewed(self, rejected: ReadOnlyCredentials | None) -> bool:
        """Whether there are now other credentials than those that upstream refused as expired or invalid.

        If there are not yet, the source is asked: once for all who wait here, and not more often than every few
        seconds, in between the answer is no. None stands for having had none.
        """
        if not self._has_other(rejected):
            self._rejected = rejected
            if self._task is not None and not self._task.done() and (self._asking or self._force()):
                await self._round.wait()
        return self._has_other(rejected)

    def health(self) -> dict[str, object]:
        """How they stand, for people and metrics. Times are seconds; nothing secret."""
        wall_s, held = self._wall_s(), self._held
        ends = held is not None and held.expires_s < math.inf
        return {
            "source": self.method,
            "state": self.state.value,
            "usable": self.usable,
            "expiresS": round(held.expires_s - wall_s, 1) if held and ends else None,
            "ageS": round(wall_s - self._held_since_s, 1) if held else None,
            "refreshes": self.refreshes,
            "failures": self.failures,
            "failingForS": None if self._failing_since_s is None else round(wall_s - self._failing_since_s, 1),
            "lastError": self._last_error,
        }

    @property
    def state(self) -> State:
        """How those held stand."""
        return state_of(self._left_s(), self._window_s)

    # --- what aiobotocore reads of a credential provider, and of credentials ---------------------------

    @property
    def method(self) -> str | None:
        """The SDK's name of the source that gave what is held."""
        return self._held.method if self._held else None

    async def load_credentials(self) -> "KeptCredentials":
        """The session's only credentials."""
        return self

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As `current`: signing never asks the source."""
        return self.current()

    def get_account_id(self) -> str | None:
        """The account, if the source told it; endpoint rules may ask."""
        return self._held.keys.account_id if self._held else None

    def get_deferred_property(self, name: str) -> Callable[[], str | None]:
        """What will read this member when it is needed."""
        return lambda: getattr(self.current(), name)

    # --- the one task that asks ------------------------------------------------------------------------

    async def _keep(self) -> None:
        try:
            while True:
                await self._attempt()
                self._round, ended = asyncio.Event(), self._round
                ended.set()
                await self._until_due()
        finally:
            self._round.set()

    async def _attempt(self) -> None:
        self._asking = True
        found, error = None, None
        try:
            async with asyncio.timeout(ATTEMPT_S):
                found = await self._source()
        except Exception as raised:  # whatever a provider trips over, the next question may be answered
            error = type(raised).__name__
        finally:
            self._asking = False
        error = error or self._fault_of(found)
        if found is None or error is not None:
            self._failed(error or "NoCredentials")
        else:
            self._take(found)

    def _fault_of(self, found: Found | None) -> str | None:
        """What is wrong with what the source gave."""
        if found is None:
            return "NoCredentials"
        if not (found.keys.access_key and found.keys.secret_key):
            return "PartialCredentials"
        if found.expires_s <= self._wall_s():
            return "ExpiredCredentials"
        held = self._held
        if held and found.method != held.method and self.usable and held.keys != self._rejected:
            return "OtherSource"
        return None

    def _take(self, found: Found) -> None:
        wall_s = self._wall_s()
        left_s = found.expires_s - wall_s
        if self._held is None or self._held.keys != found.keys:
            self._held_since_s = wall_s
            self._window_s = window_s(left_s)
        if self._failing_since_s is not None:
            lasted_s = wall_s - self._failing_since_s
            _log.warning(
                "AWS credentials can be had again, of %s, after %d failures in %.0f s",
                found.method,
                self._failed_in_row,
                lasted_s,
            )
        self._held = found
        self._failed_in_row = 0
        self._failing_since_s = self._last_error = None
        self.refreshes += 1
        self._renewal.succeeded(self._now_s(), wall_s, left_s, found.reread_s, self._random.random())

    def _failed(self, error: str) -> None:
        left_s = self._left_s() or 0.0
        if self._failing_since_s is None:
            _log.warning("no new AWS credentials (%s); those in use have %.0f s to go", error, max(0.0, left_s))
            self._failing_since_s = self._wall_s()
        self._last_error = error
        self.failures += 1
        self._failed_in_row += 1
        self._renewal.failed(self._now_s(), left_s, self._random.random())

    async def _until_due(self) -> None:
        while (
            not self._wanted.is_set() and (wait_s := self._renewal.wait_s(self._now_s(), self._wall_s())) > CLOCK_STEP_S
        ):
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, CHECK_S)):
                    await self._wanted.wait()
        self._wanted.clear()

    def _force(self) -> bool:
        forced = self._renewal.force(self._now_s())
        if forced:
            self._wanted.set()
        return forced or self._wanted.is_set()

    def _has_other(self, rejected: ReadOnlyCredentials | None) -> bool:
        return self.usable and self._held is not None and self._held.keys != rejected

    def _left_s(self) -> float | None:
        return self._held.expires_s - self._wall_s() if self._held else None

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("credentials are not renewed any more", exc_info=error)

"""A source of credentials that does what a test says, and remembers how it was asked."""

import asyncio
from contextlib import AbstractAsyncContextManager
from random import Random

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from gateway.adapters.aws_chain import Found
from gateway.adapters.aws_credentials import KeptCredentials
from tests.support.virtual_clock import EPOCH_S

SECRET, TOKEN = "secret-canary-91c2", "token-canary-47aa"
HOUR_S = 3_600.0


class Down(Exception):
    """What a source that is away raises; its message is one that must not be told."""


class Source:
    """`takes_s` seconds to answer; `failure` instead of credentials; `nothing` to give; `same` keys every time."""

    def __init__(self, *, validity_s: float = HOUR_S, takes_s: float = 0.1, method: str = "container-role") -> None:
        self.validity_s, self.takes_s, self.method = validity_s, takes_s, method
        self.failure: Exception | None = None
        self.nothing = self.same = False
        self.asked_s: list[float] = []
        self.under_way = self.most_under_way = 0
        self.set_ahead_s = 0.0

    async def __call__(self) -> Found | None:
        self.asked_s.append(now_s())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        if self.nothing:
            return None
        number = 1 if self.same else len(self.asked_s)
        return Found(keys(number), self.wall_s() + self.validity_s, self.method)

    def wall_s(self) -> float:
        """The wall clock of source and keeper; a test may set it ahead."""
        return EPOCH_S + now_s() + self.set_ahead_s

    def down(self) -> None:
        """Be away from now on."""
        self.failure = Down(f"cannot give {SECRET}")

    def up(self) -> None:
        """Be well from now on."""
        self.failure = None

    def kept(self) -> AbstractAsyncContextManager[KeptCredentials]:
        """Credentials that are kept out of this source."""
        return KeptCredentials(self, wall_s=self.wall_s, random=Random(17))


def keys(number: int) -> ReadOnlyCredentials:
    """The keys of the source's answer with this number, from 1."""
    return ReadOnlyCredentials(f"AKID{number}", f"{SECRET}-{number}", f"{TOKEN}-{number}", None)


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def calls_fail(kept: KeptCredentials, until_s: float, every_s: float = 1.0) -> list[float]:
    """Sign in a steady pace until then; the times at which that failed. Signing must take no time."""
    failed_s = []
    while now_s() < until_s:
        began_s = now_s()
        try:
            await kept.get_frozen_credentials()
        except NoCredentialsError:
            failed_s.append(began_s)
        assert now_s() == began_s, "a call waited for its credentials"
        await asyncio.sleep(every_s)
    return failed_s

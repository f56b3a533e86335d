"""Tenants: in whose name a request is made, what that name may do, and how much of the gateway it may have.

A tenant's name comes from its credentials alone, and is part of every cache key. Places are the requests under way at
once. While there is room anybody may have it; as soon as others want theirs, nobody gets more than an equal share. Pure
arithmetic on counts and times.
"""

from dataclasses import dataclass, field
from typing import Final

from gateway.core.limit import RateCeiling

ACTIVE_S: Final = 10.0
"""A tenant that asked within this time may have its share at once: longer than most pauses of a busy caller."""

SPARE: Final = 8
"""One in so many places is kept for tenants within their share, so that a newcomer finds room at its first request."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A name and its rights; None is no limit.

    `campaigns` are configured names. `trackers` are event trackers; a tenant with limited campaigns and no word on
    trackers may write to none, since a tracker trains campaigns.
    """

    name: str
    campaigns: frozenset[str] | None = None
    trackers: frozenset[str] | None = None
    rate_per_s: float | None = None
    inflight_max: int | None = None

    def may_call(self, campaign: str) -> bool:
        """Whether the tenant may rank by a campaign."""
        return self.campaigns is None or campaign in self.campaigns

    def may_write_to(self, tracker: str) -> bool:
        """Whether the tenant may send events to a tracker."""
        return self.campaigns is None if self.trackers is None else tracker in self.trackers


ANYBODY: Final = Tenant("")
"""Every caller, where nobody is asked who they are."""


class RateLimits:
    """The rate limit of every tenant that has one."""

    def __init__(self) -> None:
        self._ceilings: dict[str, RateCeiling] = {}

    def take(self, tenant: Tenant, now_s: float) -> float:
        """0 if a request may go now, which counts it; else the seconds until one may, and nothing is counted."""
        if tenant.rate_per_s is None:
            return 0.0
        ceiling = self._ceilings.setdefault(tenant.name, RateCeiling(tenant.rate_per_s))
        before = ceiling.full_at_s
        wait_s = ceiling.take(now_s)
        if wait_s > 0.0:
            ceiling.full_at_s = before
        return wait_s


@dataclass(slots=True)
class _Use:
    under_way: int = 0
    asked_s: float = 0.0


@dataclass(slots=True)
class Places:
    """The places of the gateway, `total` of them, shared by `tenants` names at most.

    A tenant within its share finds room unless all places are taken; one beyond it must leave room for the shares of
    all others who asked lately, and the spare places.
    """

    total: int
    tenants: int = 1
    _uses: dict[str, _Use] = field(default_factory=dict)

    @property
    def under_way(self) -> int:
        """Places that are taken."""
        return sum(use.under_way for use in self._uses.values())

    def enter(self, tenant: Tenant, now_s: float) -> "Refusal | None":
        """Take a place, to be given back by `leave`; or say why there is none."""
        use = self._uses.setdefault(tenant.name, _Use())
        use.asked_s = now_s
        self._forget_idle(now_s)
        if tenant.inflight_max is not None and use.under_way >= tenant.inflight_max:
            return OWN_LIMIT
        spare = self.total // SPARE if self.tenants > 1 else 0
        share = max(1, min(self.total // len(self._uses), self.total - spare))
        if self.under_way >= self.total:
            return SHARE if self.tenants > 1 and use.under_way > share else FULL
        kept = max(spare, self._wanted_by_others(tenant.name, share))
        if use.under_way >= share and self.under_way + kept >= self.total:
            return SHARE
        use.under_way += 1
        return None

    def leave(self, tenant: Tenant) -> None:
        """Give the place back."""
        self._uses[tenant.name].under_way -= 1

    def _wanted_by_others(self, name: str, share: int) -> int:
        return sum(max(0, share - use.under_way) for other, use in self._uses.items() if other != name)

    def _forget_idle(self, now_s: float) -> None:
        for name in [name for name, use in self._uses.items() if not use.under_way and now_s - use.asked_s > ACTIVE_S]:
            del self._uses[name]


Refusal = str
FULL: Final = "full"
"""All places are taken."""
OWN_LIMIT: Final = "own limit"
"""The tenant has as many as it may ever have."""
SHARE: Final = "share"
"""The tenant has its share, and others may want theirs."""

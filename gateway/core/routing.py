"""Campaigns: the policies of a configured name, and which ARN a call goes to.

Where campaigns are configured, nothing else is callable: an open relay would let any caller spend the owner's money on
any campaign. Where none is, every well-formed ARN is callable under the default policies.
"""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.core.errors import InvalidInput, UnknownResource
from gateway.core.extras import EXTRA_SHARE

ARN_MAX_CHARS: Final = 256
ARN_PATTERN: Final = re.compile(r"arn:([a-z\d-]+):personalize:([a-z\d-]*):(\d*):(.+)", re.ASCII)
"""Narrower than the service model's `arn:([a-z\\d-]+):personalize:.*:.*:.+`, so that a region cannot smuggle a host."""

CONCURRENCY_MAX: Final = 100
"""Calls under way at once to one ARN by default: five rankings of 10,000 candidates."""

CONCURRENCY_MIN: Final = 4
"""What a campaign that pushes back is still asked at once by default."""

Fallback = Literal["none", "input-order"]

Merge = Literal["calibrated", "ordinal"]
"""How several calls become one ranking: by the ratios of their scores, or by their orders alone (`core.tournament`)."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A named configuration: where its calls go, how many at once, and what is answered when there is nothing.

    `concurrency_min` and `concurrency_max` bound the calls under way at once to each ARN; `tps` is a ceiling on calls
    per second over all of them, None for no ceiling; retries and hedges are at most `extra_share` of the calls. `merge`
    is ordinal for a campaign whose scores depend on the list. A campaign with `variants` has no ARN of its own: every
    user belongs to one variant, which is a campaign in all but its name. Such a one knows its name in `variant`.
    """

    name: str
    arn: str
    replicas: tuple[str, ...] = ()
    concurrency_max: int = CONCURRENCY_MAX
    tps: float | None = None
    fallback: Fallback = "none"
    concurrency_min: int = CONCURRENCY_MIN
    extra_share: float = EXTRA_SHARE
    merge: Merge = "calibrated"
    variant: str = ""
    weight: float = 1.0
    variants: tuple["Campaign", ...] = ()

    @property
    def key(self) -> str:
        """What tells it from every other campaign and variant (no name holds a slash)."""
        return f"{self.name}/{self.variant}" if self.variant else self.name

    @property
    def arms(self) -> tuple["Campaign", ...]:
        """The campaigns that calls go to: itself, or its variants."""
        return self.variants or (self,)

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs that serve the campaign alike; none for one with variants."""
        return () if self.variants else (self.arn, *self.replicas)


def variant_for(campaign: Campaign, user_id: str) -> Campaign:
    """The variant that a user belongs to (the campaign itself where it has none), by weight.

    Weighted rendezvous: every variant draws a number for the user, by a hash of campaign, variant and user, and the
    highest wins. So every pod and every restart gives the same, two campaigns split their users independently, and a
    weight that is raised, or a new variant, draws users to itself and moves nobody else.
    """
    if not campaign.variants:
        return campaign
    user = user_id.encode("utf-8", "surrogatepass")
    return max(campaign.variants, key=lambda arm: -arm.weight / math.log(_chance(arm.key, user)))


def _chance(name: str, user: bytes) -> float:
    """A number within (0, 1) that looks random and is always the same."""
    salt = hashlib.blake2b(name.encode(), digest_size=hashlib.blake2b.SALT_SIZE).digest()
    digest = hashlib.blake2b(user, digest_size=6, salt=salt).digest()  # 48 bits: a float holds a half more of them
    return (int.from_bytes(digest, "big") + 0.5) / 2**48


def region_of(arn: str) -> str:
    """The region in an ARN, empty where it names none."""
    found = ARN_PATTERN.fullmatch(arn)
    return found[2] if found else ""


def is_arn(text: str) -> bool:
    """Whether the text is a well-formed Personalize ARN."""
    return len(text) <= ARN_MAX_CHARS and ARN_PATTERN.fullmatch(text) is not None


def resolve(reference: str, configured: Mapping[str, Campaign], may_call: Callable[[str], bool]) -> Campaign:
    """The campaign that a caller means by a configured name or an ARN; the ARN of a variant means that variant.

    `may_call` says by its name whether the caller may call a campaign: of several with one ARN it means one that it
    may. Raises `InvalidInput` for what is neither name nor ARN, `UnknownResource` for what may not be called.
    """
    found: Campaign | None = None
    if reference in configured:
        found = configured[reference]
    elif reference.startswith("arn:"):
        if not is_arn(reference):
            raise InvalidInput("must be the ARN of a campaign or recommender, or a configured name")
        found = _by_arn(reference, configured, may_call)
    elif not configured:
        raise InvalidInput("must be the ARN of a campaign or recommender: no campaigns are configured")
    if found is None or not may_call(found.name):
        raise UnknownResource("no such campaign is configured")
    return found


def _by_arn(arn: str, configured: Mapping[str, Campaign], may_call: Callable[[str], bool]) -> Campaign | None:
    """The first campaign, or arm of one, that the ARN serves and that may be called."""
    if not configured:
        return Campaign(name=arn, arn=arn)
    arms = (arm for campaign in configured.values() for arm in campaign.arms)
    return next((arm for arm in arms if arn in arm.arns and may_call(arm.name)), None)

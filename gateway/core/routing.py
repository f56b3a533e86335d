"""Campaigns: the policies of a configured name, and which ARN a call goes to.

Where campaigns are configured, nothing else is callable: an open relay would let any caller spend the owner's money on
any campaign. Where none is, every well-formed ARN is callable under the default policies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.core.errors import InvalidInput, UnknownResource

ARN_MAX_CHARS: Final = 256
ARN_PATTERN: Final = re.compile(r"arn:([a-z\d-]+):personalize:([a-z\d-]*):(\d*):(.+)", re.ASCII)
"""Narrower than the service model's `arn:([a-z\\d-]+):personalize:.*:.*:.+`, so that a region cannot smuggle a host."""

CONCURRENCY_MAX: Final = 100
"""Calls under way at once to one campaign by default: five rankings of 10,000 candidates."""

Fallback = Literal["none", "input-order"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """A named configuration: where its calls go, how many at once, and what is answered when there is nothing.

    `tps` is a ceiling on calls per second over all its ARNs, None for no ceiling.
    """

    name: str
    arn: str
    replicas: tuple[str, ...] = ()
    concurrency_max: int = CONCURRENCY_MAX
    tps: float | None = None
    fallback: Fallback = "none"

    @property
    def arns(self) -> tuple[str, ...]:
        """All ARNs that serve the campaign."""
        return (self.arn, *self.replicas)


def region_of(arn: str) -> str:
    """The region in an ARN, empty where it names none."""
    found = ARN_PATTERN.fullmatch(arn)
    return found[2] if found else ""


def is_arn(text: str) -> bool:
    """Whether the text is a well-formed Personalize ARN."""
    return len(text) <= ARN_MAX_CHARS and ARN_PATTERN.fullmatch(text) is not None


def resolve(reference: str, configured: Mapping[str, Campaign]) -> Campaign:
    """The campaign that a caller means by a configured name or an ARN.

    Raises `InvalidInput` for what is neither, `UnknownResource` for what may not be called.
    """
    if reference in configured:
        return configured[reference]
    if reference.startswith("arn:"):
        if not is_arn(reference):
            raise InvalidInput("campaignArn is not a well-formed Personalize ARN")
        for campaign in configured.values():
            if reference in campaign.arns:
                return campaign
        if not configured:
            return Campaign(name=reference, arn=reference)
    elif not configured:
        raise InvalidInput("no campaigns are configured, so campaignArn must be the ARN of one")
    raise UnknownResource("no such campaign is configured")

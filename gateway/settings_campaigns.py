"""`[campaigns]`: what a campaign is, its policies, and the rules between them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.core.extras import EXTRA_SHARE
from gateway.core.routing import CONCURRENCY_MAX, CONCURRENCY_MIN, Campaign, Merge, is_arn, region_of
from gateway.settings_auth import NAME
from gateway.settings_parts import Section as _Section
from gateway.settings_parts import at as _at
from gateway.settings_parts import listed as _listed


def _arn(text: str) -> str:
    if not is_arn(text):
        raise ValueError("not a Personalize ARN (arn:aws:personalize:REGION:ACCOUNT:campaign/NAME)")
    return text


Arn = Annotated[str, AfterValidator(_arn)]


class VariantSettings(_Section):
    """`[campaigns.NAME.variants.NAME]`: one arm of an experiment, and its share of the users."""

    arn: Arn
    replicas: Annotated[tuple[Arn, ...], BeforeValidator(_listed)] = ()
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1


class CampaignSettings(_Section):
    """`[campaigns.NAME]`: one campaign and its policies. It has an ARN, perhaps with replicas, or variants."""

    arn: Arn | None = None
    replicas: Annotated[tuple[Arn, ...], BeforeValidator(_listed)] = ()
    variants: dict[str, VariantSettings] = Field(default_factory=dict)
    tps: Annotated[float, Field(gt=0)] | None = None
    concurrency_min: Annotated[int, Field(ge=1, le=10_000)] = CONCURRENCY_MIN
    concurrency_max: Annotated[int, Field(ge=1, le=10_000)] = CONCURRENCY_MAX
    extra_share: Annotated[float, Field(ge=0, le=0.5)] = EXTRA_SHARE
    fallback: Literal["none", "input-order"] = "none"
    merge: Merge = "calibrated"

    def policies(self, name: str) -> Campaign:
        """The campaign as the core knows it. Limits hold for each variant by itself."""
        whole = Campaign(
            name,
            self.arn or "",
            self.replicas,
            self.concurrency_max,
            self.tps,
            self.fallback,
            min(self.concurrency_min, self.concurrency_max),
            self.extra_share,
            self.merge,
        )
        arms = [
            replace(whole, arn=one.arn, replicas=one.replicas, variant=variant, weight=one.weight)
            for variant, one in sorted(self.variants.items())
        ]
        return replace(whole, variants=tuple(arms))


def campaign_relations(place: str, campaign: Any, default_region: Any) -> Iterator[str]:
    """Faults of one campaign that stand between its settings; `place` is its path."""
    variants = _at(campaign, "variants", default={})
    if variants and isinstance(variants, dict):
        for given in ("arn", "replicas"):
            if _at(campaign, given, default=None):
                yield f"{place}.{given}: a campaign has an ARN or variants, not both"
    elif isinstance(campaign, dict) and "arn" not in campaign:
        yield f"{place}.arn: must be set"
    least = _number(_at(campaign, "concurrency_min", default=None))
    most = _number(_at(campaign, "concurrency_max", default=CONCURRENCY_MAX))
    if least is not None and most is not None and least > most:
        yield f"{place}.concurrency_min: {least:g} is more than concurrency_max, {most:g}"
    named = variants if isinstance(variants, dict) else {}
    arms = {place: campaign, **{f"{place}.variants.{name}": one for name, one in named.items()}}
    for where, arm in arms.items():
        if not NAME.fullmatch(where.rpartition(".")[2]) and where != place:
            yield f"{where}: a name has 1 to 63 letters, digits, dots, dashes or underscores"
        arn = _at(arm, "arn", default=None)
        if _repeats(arm):
            yield f"{where}.replicas: an ARN comes twice"
        if isinstance(arn, str) and is_arn(arn) and not region_of(arn) and not default_region:
            yield f"{where}.arn: names no region, so AWS_REGION must be set"


def _repeats(arm: Any) -> bool:
    """Whether an arm names an ARN twice: what is no other campaign can neither take over nor share the load."""
    replicas = _listed(_at(arm, "replicas", default=()))
    arns = [_at(arm, "arn", default=None), *replicas] if isinstance(replicas, list | tuple) else []
    return len(set(map(str, arns))) < len(arns)


def _number(value: Any) -> float | None:
    """A number as a file or a variable gives it; None for what is none, which is told elsewhere."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

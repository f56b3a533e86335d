"""Only what is configured can be called; with nothing configured, every well-formed ARN."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidInput, UnknownResource
from gateway.core.routing import CONCURRENCY_MAX, Campaign, is_arn, region_of, resolve, variant_for
from gateway.core.tenants import ANYBODY, Tenant

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
REPLICA = "arn:aws:personalize:eu-west-1:000000000000:campaign/demo"
OTHER = "arn:aws:personalize:us-east-1:000000000000:campaign/other"
DEMO = Campaign("demo", ARN, (REPLICA,))
CONFIGURED = {"demo": DEMO, "second": Campaign("second", OTHER)}


@pytest.mark.parametrize("reference", ["demo", ARN, REPLICA])
def test_a_configured_campaign_answers_to_its_name_and_its_arns(reference: str) -> None:
    """Name, ARN and replica's ARN mean the same campaign with the same policies."""
    assert resolve(reference, CONFIGURED, ANYBODY.may_call) is DEMO


@pytest.mark.parametrize("reference", ["nobody", "", "DEMO", ARN + "x", ARN.replace("demo", "hidden")])
def test_what_is_not_configured_is_not_callable(reference: str) -> None:
    """Where campaigns are configured, every other name or ARN is unknown: the gateway is no open relay."""
    with pytest.raises(UnknownResource):
        resolve(reference, CONFIGURED, ANYBODY.may_call)


def test_without_configuration_every_arn_is_callable() -> None:
    """An ARN stands for itself under the default policies."""
    assert resolve(ARN, {}, ANYBODY.may_call) == Campaign(name=ARN, arn=ARN)
    assert resolve(ARN, {}, ANYBODY.may_call).concurrency_max == CONCURRENCY_MAX
    assert resolve(ARN, {}, ANYBODY.may_call).fallback == "none"


@pytest.mark.parametrize("reference", ["demo", "", "arn", "urn:aws:personalize"])
def test_without_configuration_a_name_is_the_callers_fault(reference: str) -> None:
    """There is no name to find, so the caller is told to send an ARN."""
    with pytest.raises(InvalidInput):
        resolve(reference, {}, ANYBODY.may_call)


NO_ARNS = [
    "arn:",
    "arn:aws:personalize:us-east-1:000000000000:",
    "arn:aws:s3:us-east-1:000000000000:campaign/demo",
    "arn:aws:personalize:evil.example/:000000000000:campaign/demo",
    "arn:aws:personalize:us-east-1.evil.example:000000000000:campaign/demo",
    "arn:aws:personalize:us-east-1@evil:000000000000:campaign/demo",
    "arn:aws:personalize:US-EAST-1:000000000000:campaign/demo",
    "arn:aws:personalize:us-east-1:account:campaign/demo",
    "arn:AWS:personalize:us-east-1:000000000000:campaign/demo",
    " " + ARN,
    ARN + "\n",
    "arn:aws:personalize:us-east-1:000000000000:campaign/" + "x" * 256,
]


@pytest.mark.parametrize("text", NO_ARNS)
@pytest.mark.parametrize("configured", [{}, CONFIGURED], ids=["open", "configured"])
def test_malformed_arns_are_the_callers_fault(text: str, configured: dict[str, Campaign]) -> None:
    """What is no Personalize ARN is refused before it could choose a host."""
    assert not is_arn(text)
    if text.startswith("arn:"):
        with pytest.raises(InvalidInput):
            resolve(text, configured, ANYBODY.may_call)


@pytest.mark.parametrize("region", ["us-east-\N{ARABIC-INDIC DIGIT ONE}", "us-east-\N{FULLWIDTH DIGIT ONE}"])
def test_digits_are_ascii_digits(region: str) -> None:
    """A region becomes a part of a host name, so nothing but ASCII may stand in it."""
    assert not is_arn(f"arn:aws:personalize:{region}:000000000000:campaign/demo")


def test_an_arn_may_have_256_characters() -> None:
    """The documented length is allowed to the last character."""
    longest = ARN + "x" * (256 - len(ARN))
    assert is_arn(longest)
    assert not is_arn(longest + "x")


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        (ARN, "us-east-1"),
        (REPLICA, "eu-west-1"),
        ("arn:aws-cn:personalize:cn-north-1:1:campaign/x", "cn-north-1"),
        ("arn:aws:personalize:::recipe/aws-personalized-ranking-v2", ""),
        ("demo", ""),
    ],
)
def test_the_region_of_an_arn(arn: str, region: str) -> None:
    """The region is what stands in the ARN, or nothing."""
    assert region_of(arn) == region


def test_a_campaign_names_all_its_arns() -> None:
    """The first ARN and then the replicas."""
    assert DEMO.arns == (ARN, REPLICA)


USERS = [f"user-{number}" for number in range(4_000)]


def split(weights: dict[str, float], name: str = "demo") -> Campaign:
    """A campaign with these variants."""
    arms = [Campaign(name, f"{ARN}-{variant}", variant=variant, weight=weight) for variant, weight in weights.items()]
    return Campaign(name, "", variants=tuple(arms))


def arms_of(campaign: Campaign, users: list[str] = USERS) -> list[str]:
    """The variant of every user."""
    return [variant_for(campaign, user).variant for user in users]


def test_a_campaign_without_variants_is_its_own() -> None:
    """There is nothing to choose."""
    assert variant_for(DEMO, "u") is DEMO
    assert DEMO.arms == (DEMO,)
    assert DEMO.key == "demo"


def test_a_users_variant_is_for_ever() -> None:
    """It is the same in every process, and does not hang on the order of the variants: values of a golden list."""
    weights = {"a": 1.0, "b": 1.0, "c": 2.0}
    assert "".join(arms_of(split(weights), USERS[:24])) == "acbcaacccccbbcbacbabbbbc"
    assert arms_of(split(weights)) == arms_of(split(dict(reversed(weights.items()))))


@pytest.mark.parametrize("weights", [{"a": 1.0, "b": 1.0}, {"a": 90.0, "b": 10.0}, {"a": 0.2, "b": 0.5, "c": 0.3}])
def test_weights_are_respected(weights: dict[str, float]) -> None:
    """Every variant has its share of the users, within four standard deviations of chance."""
    arms = arms_of(split(weights))
    for variant, weight in weights.items():
        share = weight / sum(weights.values())
        deviation = math.sqrt(share * (1.0 - share) / len(USERS))
        assert abs(arms.count(variant) / len(USERS) - share) < 4 * deviation


def test_campaigns_split_independently() -> None:
    """Being in the first half of one experiment says nothing about another."""
    both = zip(arms_of(split({"a": 1.0, "b": 1.0}, "one")), arms_of(split({"a": 1.0, "b": 1.0}, "two")), strict=True)
    same = sum(one == other for one, other in both) / len(USERS)
    assert abs(same - 0.5) < 4 * 0.5 / math.sqrt(len(USERS))


WEIGHTS = st.lists(st.floats(0.01, 100.0), min_size=2, max_size=6)


@given(WEIGHTS, st.data(), st.floats(1.01, 20.0))
def test_raising_a_weight_moves_users_into_that_variant_alone(
    weights: list[float], data: st.DataObject, factor: float
) -> None:
    """Whoever changes sides when one weight is raised changes to that side."""
    named = {f"v{number}": weight for number, weight in enumerate(weights)}
    raised = data.draw(st.sampled_from(sorted(named)))
    before, users = split(named), USERS[:300]
    after = split(named | {raised: named[raised] * factor})
    for one, other in zip(arms_of(before, users), arms_of(after, users), strict=True):
        assert one == other or other == raised


def test_a_new_variant_takes_from_all_and_moves_nobody_else() -> None:
    """Adding an arm leaves everybody where he is who does not go to it."""
    before, after = arms_of(split({"a": 1.0, "b": 1.0})), arms_of(split({"a": 1.0, "b": 1.0, "c": 0.5}))
    moved = [one for one, other in zip(before, after, strict=True) if one != other]
    assert {other for one, other in zip(before, after, strict=True) if one != other} == {"c"}
    assert set(moved) == {"a", "b"}


def test_the_arn_of_a_variant_pins_it() -> None:
    """A caller that names the ARN of a variant, or of its replica, gets that variant for every user."""
    campaign = split({"a": 1.0, "b": 1.0})
    campaign = replace(campaign, variants=(campaign.variants[0], replace(campaign.variants[1], replicas=(REPLICA,))))
    configured = {"demo": campaign}
    assert resolve("demo", configured, ANYBODY.may_call) is campaign
    for reference in (f"{ARN}-b", REPLICA):
        pinned = resolve(reference, configured, ANYBODY.may_call)
        assert pinned is campaign.variants[1]
        assert {variant_for(pinned, user).variant for user in USERS[:50]} == {"b"}
    assert (campaign.arns, [arm.key for arm in campaign.arms]) == ((), ["demo/a", "demo/b"])


def test_of_campaigns_with_one_arn_a_caller_means_one_that_it_may_call() -> None:
    """Two campaigns over one ARN, each for callers of its own: by the ARN everybody gets the one that is theirs."""
    configured = {name: Campaign(name, ARN) for name in ("first", "second")}
    assert resolve(ARN, configured, ANYBODY.may_call).name == "first"
    assert resolve(ARN, configured, Tenant("t", frozenset({"second"})).may_call).name == "second"
    for reference in (ARN, "first"):
        with pytest.raises(UnknownResource):
            resolve(reference, configured, Tenant("t", frozenset({"third"})).may_call)

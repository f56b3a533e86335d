"""Campaigns in settings: policies, replicas and variants, from file and environment, and every fault of them."""

from pathlib import Path

import pytest

from gateway.settings import ConfigError, load
from tests.settings.parts import ARN, faults

VARIANTS = f"""
[campaigns.shop]
concurrency_max = 7
tps = 20
fallback = "input-order"
[campaigns.shop.variants.b]
arn = "{ARN}-b"
weight = 0.5
[campaigns.shop.variants.a]
arn = "{ARN}-a"
replicas = ["{ARN}-a2"]
"""

FAULTY = {
    "arn and variants": (f'arn = "{ARN}"\n[campaigns.shop.variants.a]\narn = "{ARN}"', "campaigns.shop.arn"),
    "replicas and variants": (
        f'replicas = ["{ARN}"]\n[campaigns.shop.variants.a]\narn = "{ARN}"',
        "campaigns.shop.replicas",
    ),
    "a replica of itself": (f'arn = "{ARN}"\nreplicas = ["{ARN}-b", "{ARN}"]', "campaigns.shop.replicas"),
    "a replica twice": (f'arn = "{ARN}"\nreplicas = ["{ARN}-b", "{ARN}-b"]', "campaigns.shop.replicas"),
    "a variant's replica of itself": (
        f'[campaigns.shop.variants.a]\narn = "{ARN}"\nreplicas = ["{ARN}"]',
        "campaigns.shop.variants.a.replicas",
    ),
    "neither": ("tps = 5", "campaigns.shop.arn"),
    "no variants": ("variants = {}", "campaigns.shop.arn"),
    "variants as a list": (f'arn = "{ARN}"\nvariants = ["a"]', "campaigns.shop.variants"),
    "variants as a word": (f'arn = "{ARN}"\nvariants = "a"', "campaigns.shop.variants"),
    "a variant as a word": ('variants = {a = "x"}', "campaigns.shop.variants.a"),
    "variant without ARN": ("[campaigns.shop.variants.a]\nweight = 1", "campaigns.shop.variants.a.arn"),
    "weight of nothing": (
        f'[campaigns.shop.variants.a]\narn = "{ARN}"\nweight = 0',
        "campaigns.shop.variants.a.weight",
    ),
    "weight that is no number": (
        f'[campaigns.shop.variants.a]\narn = "{ARN}"\nweight = nan',
        "campaigns.shop.variants.a.weight",
    ),
    "variant with a slash": (
        f'[campaigns.shop.variants."a/b"]\narn = "{ARN}"',
        "campaigns.shop.variants.a/b",
    ),
    "variant without a region": (
        '[campaigns.shop.variants.a]\narn = "arn:aws:personalize::1:campaign/x"',
        "campaigns.shop.variants.a.arn",
    ),
    "least above most": (
        f'arn = "{ARN}"\nconcurrency_min = 9\nconcurrency_max = 8',
        "campaigns.shop.concurrency_min",
    ),
    "least above the default most": (f'arn = "{ARN}"\nconcurrency_min = 101', "campaigns.shop.concurrency_min"),
    "least of nothing": (f'arn = "{ARN}"\nconcurrency_min = 0', "campaigns.shop.concurrency_min"),
    "unheard-of transport": (f'arn = "{ARN}"\ntransport = "pigeon"', "campaigns.shop.transport"),
}


def test_a_campaign_from_the_environment() -> None:
    """A campaign can be set by variables alone, its list of replicas written with commas."""
    other = ARN.replace("storefront", "other")
    name = "GATEWAY_CAMPAIGNS__SHOP__"
    settings = load(None, {name + "ARN": ARN, name + "REPLICAS": f"{other}, {other}2", name + "TPS": "5.5"})
    assert settings.campaign_policies()["shop"].arns == (ARN, other, f"{other}2")
    assert settings.campaigns["shop"].tps == 5.5


@pytest.mark.parametrize("name", ["storefront", "Storefront", "store_front"])
def test_a_variable_reaches_a_campaign_of_the_file(file: Path, name: str) -> None:
    """A variable sets one policy of a campaign in the file, however the name there is spelt."""
    file.write_text(f'[campaigns.{name}]\narn = "{ARN}"\n', encoding="utf-8")
    settings = load(file, {f"GATEWAY_CAMPAIGNS__{name.upper()}__TPS": "7"})
    assert {key: one.tps for key, one in settings.campaigns.items()} == {name: 7}


def test_variants(file: Path) -> None:
    """A campaign with variants has no ARN of its own; each arm has its ARNs and weight, and the campaign's policies."""
    file.write_text(VARIANTS, encoding="utf-8")
    whole = load(file, {}).campaign_policies()["shop"]
    assert (whole.arn, whole.arns, whole.variant) == ("", (), "")
    assert [(arm.variant, arm.name, arm.arns, arm.weight) for arm in whole.variants] == [
        ("a", "shop", (f"{ARN}-a", f"{ARN}-a2"), 1),
        ("b", "shop", (f"{ARN}-b",), 0.5),
    ]
    assert {(arm.tps, arm.concurrency_max, arm.concurrency_min, arm.fallback) for arm in whole.variants} == {
        (20, 7, 4, "input-order")
    }


def test_variants_from_the_environment() -> None:
    """Variants can be set by variables alone."""
    name = "GATEWAY_CAMPAIGNS__SHOP__VARIANTS__"
    settings = load(None, {name + "A__ARN": ARN, name + "B__ARN": ARN + "2", name + "B__WEIGHT": "3"})
    arms = settings.campaign_policies()["shop"].variants
    assert [(arm.variant, arm.arn, arm.weight) for arm in arms] == [("a", ARN, 1), ("b", ARN + "2", 3)]


@pytest.mark.parametrize(("lines", "place"), FAULTY.values(), ids=FAULTY)
def test_faults_of_a_campaign(file: Path, lines: str, place: str) -> None:
    """Each fault is told by its place, and by nothing else."""
    file.write_text(f"[campaigns.shop]\n{lines}\n", encoding="utf-8")
    assert [fault.split(": ")[0] for fault in faults(file)] == [place]


def test_limits_of_the_environment_are_compared_too() -> None:
    """A variable is text, and still a number to be compared."""
    name = "GATEWAY_CAMPAIGNS__SHOP__"
    told = faults(None, {name + "ARN": ARN, name + "CONCURRENCY_MIN": "101"})
    assert [fault.split(": ")[0] for fault in told] == ["campaigns.shop.concurrency_min"]


def test_the_default_least_gives_way_to_a_lower_most() -> None:
    """Setting only a low most is enough."""
    name = "GATEWAY_CAMPAIGNS__SHOP__"
    one = load(None, {name + "ARN": ARN, name + "CONCURRENCY_MAX": "2"}).campaign_policies()["shop"]
    assert (one.concurrency_min, one.concurrency_max) == (2, 2)
    one = load(None, {name + "ARN": ARN, name + "CONCURRENCY_MIN": "3"}).campaign_policies()["shop"]
    assert (one.concurrency_min, one.concurrency_max) == (3, 100)


def test_how_calls_are_merged(file: Path) -> None:
    """Scores are put on one scale unless a campaign says that only orders count; its variants take after it."""
    arms = "\n".join(f'[campaigns.{name}.variants.a]\narn = "{ARN}"' for name in ("plain", "list"))
    file.write_text(f'{arms}\n[campaigns.list]\nmerge = "ordinal"\n', encoding="utf-8")
    campaigns = load(file, {}).campaign_policies()
    assert [campaigns[name].merge for name in ("plain", "list")] == ["calibrated", "ordinal"]
    assert [campaigns[name].variants[0].merge for name in ("plain", "list")] == ["calibrated", "ordinal"]
    with pytest.raises(ConfigError, match=r"campaigns\.plain\.merge"):
        load(file, {"GATEWAY_CAMPAIGNS__PLAIN__MERGE": "by score"})

"""Only what is configured can be called; with nothing configured, every well-formed ARN."""

import pytest

from gateway.core.errors import InvalidInput, UnknownResource
from gateway.core.routing import CONCURRENCY_MAX, Campaign, is_arn, region_of, resolve

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
REPLICA = "arn:aws:personalize:eu-west-1:000000000000:campaign/demo"
OTHER = "arn:aws:personalize:us-east-1:000000000000:campaign/other"
DEMO = Campaign("demo", ARN, (REPLICA,))
CONFIGURED = {"demo": DEMO, "second": Campaign("second", OTHER)}


@pytest.mark.parametrize("reference", ["demo", ARN, REPLICA])
def test_a_configured_campaign_answers_to_its_name_and_its_arns(reference: str) -> None:
    """Name, ARN and replica's ARN mean the same campaign with the same policies."""
    assert resolve(reference, CONFIGURED) is DEMO


@pytest.mark.parametrize("reference", ["nobody", "", "DEMO", ARN + "x", ARN.replace("demo", "hidden")])
def test_what_is_not_configured_is_not_callable(reference: str) -> None:
    """Where campaigns are configured, every other name or ARN is unknown: the gateway is no open relay."""
    with pytest.raises(UnknownResource):
        resolve(reference, CONFIGURED)


def test_without_configuration_every_arn_is_callable() -> None:
    """An ARN stands for itself under the default policies."""
    assert resolve(ARN, {}) == Campaign(name=ARN, arn=ARN)
    assert resolve(ARN, {}).concurrency_max == CONCURRENCY_MAX
    assert resolve(ARN, {}).fallback == "none"


@pytest.mark.parametrize("reference", ["demo", "", "arn", "urn:aws:personalize"])
def test_without_configuration_a_name_is_the_callers_fault(reference: str) -> None:
    """There is no name to find, so the caller is told to send an ARN."""
    with pytest.raises(InvalidInput):
        resolve(reference, {})


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
            resolve(text, configured)


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

"""Where SDKs ask: the emulator, a gateway in front of it, a gateway that asks for signatures. All are real processes.

An endpoint knows which of the calls it answers, and how it refuses the others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process.parts import Running, environment, running, signed
from tests.sdk import calls
from tests.sdk.calls import CAMPAIGN, INVALID, OWNER, PREFIX, SLOW, Call, Refusal

RANKING, RECOMMENDATIONS, ACTIONS = "aws-personalized-ranking-v2", "aws-user-personalization-v2", "aws-next-best-action"

CAMPAIGNS: dict[str, tuple[str, str]] = {
    "demo": (CAMPAIGN, RANKING),
    "plain": (f"{CAMPAIGN}-plain", "aws-personalized-ranking"),
    "recommendations": (f"{CAMPAIGN}-recommendations", RECOMMENDATIONS),
    "related": (f"{CAMPAIGN}-related", "aws-similar-items"),
    "actions": (f"{CAMPAIGN}-actions", ACTIONS),
    "for-you": (f"{PREFIX}recommender/for-you", "aws-ecomm-recommended-for-you"),
}
"""Of each kind one, by its name at the gateway: ARN and recipe."""

RECIPES = {
    "get_personalized_ranking": RANKING,
    "get_recommendations": RECOMMENDATIONS,
    "get_action_recommendations": ACTIONS,
}


def _emulated() -> Iterator[str]:
    yield f'[[key_pairs]]\naccess_key_id = "{OWNER[0]}"\nsecret_access_key = "{OWNER[1]}"\n'
    for name, (arn, recipe) in CAMPAIGNS.items():
        yield f'[[campaigns]]\narn = "{arn}"\nrecipe = "{recipe}"\nmetadata = {str(name != "plain").lower()}\n'
    for call, faults, _, _ in calls.FAILING.values():
        arn, recipe = call.members["campaignArn"], RECIPES[call.method]
        yield f'[[campaigns]]\narn = "{arn}"\nrecipe = "{recipe}"\n[campaigns.faults]\n{faults}'


def _configured() -> Iterator[str]:
    arns = {name: arn for name, (arn, _) in CAMPAIGNS.items()}
    arns |= {f"failing-{n}": one[0].members["campaignArn"] for n, one in enumerate(calls.FAILING.values())}
    for name, arn in arns.items():
        yield f'[campaigns.{name}]\narn = "{arn}"\nextra_share = 0\n'


AUTH = """
[auth]
mode = "sigv4"
[auth.tenants.shop]
campaigns = ["demo", "recommendations", "actions"]
trackers = ["demo"]
[[auth.tenants.shop.key_pairs]]
access_key_id = "{}"
secret_access_key = "{}"
[auth.tenants.slow]
rate_per_s = 0.001
[[auth.tenants.slow.key_pairs]]
access_key_id = "{}"
secret_access_key = "{}"
""".format(*OWNER, *SLOW)


@contextmanager
def emulator(folder: Path) -> Iterator[Running]:
    """An emulator of all kinds of campaigns that verifies signatures."""
    config = folder / "emulator.toml"
    config.write_text("".join(_emulated()), encoding="utf-8")
    with running("emulate", "--port", "0", "--config", str(config), env=environment()) as process:
        yield process


def gateway(more: str = "", transport: str = "lean") -> Callable[[Path], AbstractContextManager[Running]]:
    """A gateway in front of such an emulator; `more` is added to its configuration."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Running]:
        config = folder / "gateway.toml"
        config.write_text("".join(_configured()) + more, encoding="utf-8")
        with emulator(folder) as upstream:
            env = signed(
                upstream.url,
                AWS_ENDPOINT_URL_PERSONALIZE_EVENTS=upstream.url,
                AWS_ACCESS_KEY_ID=OWNER[0],
                AWS_SECRET_ACCESS_KEY=OWNER[1],
                AWS_REGION="us-east-1",
                GATEWAY_TRANSPORT=transport,
            )
            with running("serve", "--port", "0", "--config", str(config), env=env) as process:
                yield process

    return opened


@dataclass(frozen=True)
class Endpoint:
    """What answers at an address, and to what."""

    opened: Callable[[Path], AbstractContextManager[Running]]
    answered: Mapping[str, Call]
    refused: Mapping[str, tuple[Call, Refusal]]

    @property
    def calls(self) -> dict[str, Call]:
        """All calls, in one order."""
        return {**self.answered, **{name: call for name, (call, _) in self.refused.items()}}


FROM_SERVICE = {name: (call, said) for name, (call, _, said, _) in calls.FAILING.items()}
FROM_GATEWAY = {name: (call, said) for name, (call, _, _, said) in calls.FAILING.items()}

EMULATOR = Endpoint(
    emulator,
    calls.ANSWERED,
    {
        **calls.REFUSED,
        **{name: (call, INVALID) for name, call in calls.LIFTED.items()},
        **FROM_SERVICE,
        **calls.STRANGERS,
    },
)
GATEWAY = Endpoint(gateway(), {**calls.ANSWERED, **calls.LIFTED, **calls.LARGE}, {**calls.REFUSED, **FROM_GATEWAY})
REFERENCE = Endpoint(gateway(transport="aiobotocore"), GATEWAY.answered, GATEWAY.refused)
"""The same by the other transport."""

SIGNED = Endpoint(gateway(AUTH), calls.OWNED, {**calls.STRANGERS, **calls.NOT_OWNED})

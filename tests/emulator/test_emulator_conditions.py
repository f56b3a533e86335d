"""What decides how a call goes: dice with shares, the latency that holds, and a capacity that follows the demand."""

import math
from collections import Counter

import msgspec
import pytest

from gateway.emulator.capacity import Capacity
from gateway.emulator.conditions import Conditions
from gateway.emulator.config import CampaignConfig, EmulatorConfig
from gateway.emulator.faults import KINDS, Dice, Faults
from gateway.emulator.latency import Latency
from tests.emulator.conftest import DEMO_ARN


def test_the_dice_are_fair() -> None:
    """Each kind falls as often as its share says, and what is left is no fault."""
    dice = Dice(Faults(throttle_share=0.1, hang_share=0.05, nan_share=0.2, seed=3), stream=0)
    fallen = Counter(dice.fall().kind for _ in range(10_000))
    for kind, share in ((None, 0.65), ("throttle", 0.1), ("hang", 0.05), ("nan", 0.2)):
        assert fallen[kind] / 10_000 == pytest.approx(share, abs=0.01)
    assert sum(fallen.values()) == 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_one_falls_always(kind: str) -> None:
    """A share of 1 leaves no call out."""
    dice = Dice(Faults(**{f"{kind}_share": 1.0}), stream=1)
    assert {dice.fall().kind for _ in range(100)} == {kind}


def test_a_share_of_calls_is_slow() -> None:
    """The slow share takes its time on top of the usual, and the usual draws stay as they are."""
    latency = Latency(median_ms=10, sigma=0.0, seed=1, slow_share=0.1, slow_ms=500)
    drawn = [round(latency.draw_s(), 6) for _ in range(5_000)]
    assert set(drawn) == {0.01, 0.51}
    assert drawn.count(0.51) / 5_000 == pytest.approx(0.1, abs=0.02)


def test_which_latency_holds() -> None:
    """The latency of the faults that hold comes before the campaign's, and that before the top level's."""
    own = CampaignConfig(arn=f"{DEMO_ARN}-a", recipe="aws-personalized-ranking-v2", latency_ms=20)
    plain = CampaignConfig(arn=f"{DEMO_ARN}-b", recipe="aws-personalized-ranking-v2")
    conditions = Conditions(EmulatorConfig(latency_ms=10, campaigns=(own, plain)))

    def delays() -> list[float]:
        return [round(conditions.next(arn, 0.0).delay_s, 3) for arn in (own.arn, plain.arn, "unknown", "events")]

    assert delays() == [0.02, 0.01, 0.01, 0.0]
    conditions.order(Faults(latency_ms=30), own.arn)
    assert delays() == [0.03, 0.01, 0.01, 0.0]
    conditions.order(Faults(latency_ms=40), None)
    assert delays() == [0.03, 0.04, 0.04, 0.0]
    conditions.clear()
    assert delays() == [0.02, 0.01, 0.01, 0.0]


def test_what_holds_can_be_ordered_again() -> None:
    """The faults that are shown are an order: reading them back gives the same faults."""
    faults = Faults(latency_ms=5, torn_share=0.25, tps=7, seed=9)
    assert msgspec.json.decode(msgspec.json.encode(faults), type=Faults) == faults
    assert math.isclose(sum(faults.shares()), 0.25)


def admitted(capacity: Capacity, tps: float, from_s: float, to_s: float) -> float:
    """The share of evenly spaced calls that is taken."""
    count = round((to_s - from_s) * tps)
    return sum(capacity.admit(from_s + number / tps) for number in range(count)) / count


def test_below_the_floor_nothing_is_throttled() -> None:
    """Calls at the rate of the floor are all taken, and so is a burst of one second of them."""
    assert admitted(Capacity(100, 30), 100, 0, 20) == 1.0
    burst = Capacity(100, 30)
    assert [burst.admit(0.0) for _ in range(101)] == [True] * 100 + [False]


def test_capacity_follows_the_demand_slowly() -> None:
    """At four times the floor most calls are throttled at first and none after a few doublings; idle, it shrinks."""
    capacity = Capacity(50, 30)
    assert admitted(capacity, 200, 0, 10) < 0.5
    for start in range(10, 100, 10):
        last = admitted(capacity, 200, start, start + 10)
    assert last == 1.0
    assert [capacity.admit(1000.0 + number / 1e6) for number in range(60)].count(True) == pytest.approx(50, abs=1)


def test_one_call_a_second_is_the_least() -> None:
    """A floor below one call per second still takes the first call, and the next in its time."""
    capacity = Capacity(0.5, 3600)
    assert [capacity.admit(at) for at in (0.0, 0.1, 1.9, 2.1)] == [True, False, False, True]

"""When a hedge is due and when not: the table, row by row."""

import pytest

from gateway.core.hedge import GATE_LOADED, LATEST, RULES, THROTTLE_MEMORY_S, Standing, due_s, why_not
from gateway.core.latency import Quantiles

WELL = Standing(since_throttle_s=float("inf"), waiting=0, in_flight=0, limit=100, target_well=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"since_throttle_s": 0.0}, "throttled"),
        ({"since_throttle_s": THROTTLE_MEMORY_S - 0.001}, "throttled"),
        ({"since_throttle_s": THROTTLE_MEMORY_S}, None),
        ({"waiting": 1}, "calls are waiting"),
        ({"in_flight": int(GATE_LOADED * 100) - 1}, None),
        ({"in_flight": int(GATE_LOADED * 100)}, "loaded"),
        ({"in_flight": 1, "limit": 1}, "loaded"),
        ({"target_well": False}, "no ARN is well"),
        ({"since_throttle_s": 0.0, "waiting": 5, "in_flight": 200, "target_well": False}, "throttled"),
    ],
)
def test_the_rules(change: dict[str, float], reason: str | None) -> None:
    """Each rule says no by itself at its limit, the first of several gives the reason, and none is against one well."""
    assert why_not(WELL._replace(**change)) == reason


def test_every_rule_has_its_row() -> None:
    """No rule is without a name of its own."""
    assert len({name for name, _ in RULES}) == len(RULES) == 4


def test_a_hedge_is_due_at_the_96th_percentile() -> None:
    """For a healthy campaign that is where it is due, whatever the 99th is."""
    assert due_s(Quantiles(0.033, 0.052, 0.059, 0.061, 9.9)) == 0.061


def test_a_slow_96th_percentile_does_not_put_hedges_off() -> None:
    """Where more calls are slow than the percentile leaves, a hedge is due at a multiple of the 90th."""
    assert due_s(Quantiles(0.033, 0.052, 1.0, 1.03, 1.1)) == LATEST * 0.052

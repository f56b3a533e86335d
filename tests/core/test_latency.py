"""Running quantiles: right to two percent, of late, and never none for want of answers once they were known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.latency import (
    GENERATION_S,
    LONGEST_S,
    SAMPLES_MIN,
    SHARES,
    SHORTEST_S,
    Latencies,
    Quantiles,
)


def told(times_s: np.ndarray, now_s: float = 100.0) -> Quantiles:
    """What is said of these times."""
    latencies = Latencies()
    for one in times_s.tolist():
        latencies.add(one, now_s)
    quantiles = latencies.quantiles(now_s)
    assert quantiles is not None
    return quantiles


@given(st.integers(0, 10_000), st.floats(0.001, 5.0), st.floats(0.05, 1.5), st.integers(SAMPLES_MIN, 400))
def test_quantiles_are_right_to_two_percent(seed: int, median_s: float, sigma: float, count: int) -> None:
    """Of any lognormal times the quantiles are those of the sorted list, within the width of a bucket."""
    times_s = np.clip(median_s * np.random.default_rng(seed).lognormal(0.0, sigma, count), SHORTEST_S, LONGEST_S)
    exact = np.quantile(times_s, SHARES, method="inverted_cdf")
    assert told(times_s) == pytest.approx(exact.tolist(), rel=0.0201)
    assert all(one >= true - 1e-12 for one, true in zip(told(times_s), exact.tolist(), strict=True))


def test_extremes_have_their_places() -> None:
    """Times below the first bucket and beyond the last are counted there, nothing is lost and nothing breaks."""
    assert told(np.zeros(50)).p99 == pytest.approx(SHORTEST_S, rel=0.021)
    assert told(np.full(50, 1e6)).p50 == pytest.approx(LONGEST_S, rel=0.03)


def test_a_few_answers_say_nothing() -> None:
    """With fewer answers than it takes there are no quantiles; with one more there are."""
    latencies = Latencies()
    for _ in range(SAMPLES_MIN - 1):
        latencies.add(0.03, 1.0)
    assert latencies.quantiles(1.0) is None
    assert repr(latencies) == "<Latencies unknown>"
    latencies.add(0.03, 1.0)
    assert latencies.quantiles(1.2) is not None
    assert "p95=" in repr(latencies)


def test_what_is_old_is_forgotten() -> None:
    """After twenty seconds of other latencies the old ones are gone; after ten they still count."""
    latencies = Latencies()
    for tenth in range(100):
        latencies.add(1.0, tenth / 10)
    for tenth in range(100, 401):
        latencies.add(0.01, tenth / 10)
        quantiles = latencies.quantiles(tenth / 10)
        assert quantiles is not None
        if tenth in (150, 310):
            assert (quantiles.p96 > 0.9) == (tenth < 200)
    assert quantiles.p99 == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("silence_s", [5.0, 15.0, 25.0, 3_600.0])
@pytest.mark.parametrize("looked_at", [False, True])
def test_a_silence_forgets_nothing(silence_s: float, looked_at: bool) -> None:
    """After a silence, whether somebody asked meanwhile or not, the last known quantiles hold."""
    latencies = Latencies()
    for tenth in range(200):
        latencies.add(0.05, tenth / 10)
    if looked_at:
        for part in range(10):
            latencies.quantiles(20.0 + silence_s * part / 10)
    quantiles = latencies.quantiles(20.0 + silence_s)
    assert quantiles is not None
    assert quantiles.p50 == pytest.approx(0.05, rel=0.02)


def test_a_trickle_is_known() -> None:
    """One answer in a generation is enough to stay known: a generation lasts until it has something to say."""
    latencies, now_s = Latencies(), 0.0
    for _ in range(10 * SAMPLES_MIN):
        now_s += GENERATION_S
        latencies.add(0.02, now_s)
    quantiles = latencies.quantiles(now_s)
    assert quantiles is not None
    assert quantiles.p50 == pytest.approx(0.02, rel=0.02)
    assert latencies._samples + latencies._samples_before <= 2 * SAMPLES_MIN + 1

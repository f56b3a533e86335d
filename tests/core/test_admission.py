"""Who is let in: everybody where nobody waits, and otherwise who can be answered in time; more load never helps."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.admission import WAITING_MAX, Load, admits
from gateway.core.latency import Quantiles

TIMES = st.floats(0.001, 2.0).map(lambda p50: Quantiles(p50, 1.6 * p50, 1.8 * p50, 1.9 * p50, 2.3 * p50))
WAITING = st.integers(0, 2_500)
LOADS = st.builds(
    lambda waiting, share, limit, takes, tps: Load(waiting, int(share * waiting), limit, takes, tps),
    WAITING,
    st.floats(0.0, 1.0),
    st.integers(1, 200),
    st.none() | TIMES,
    st.none() | st.floats(0.5, 1_000.0),
)
CALLS = st.integers(1, 210)
LEFT = st.floats(-1.0, 30.0)


@given(LOADS, CALLS, LEFT)
def test_with_nothing_waiting_everybody_is_let_in(load: Load, calls: int, left_s: float) -> None:
    """The estimate may be wrong, so an idle campaign refuses nothing."""
    assert admits(replace(load, waiting=0, ahead=0), calls, left_s)


@given(LOADS, CALLS, CALLS, LEFT, st.floats(0.0, 5.0))
def test_less_is_never_refused_where_more_is_let_in(
    load: Load, calls: int, fewer: int, left_s: float, more_s: float
) -> None:
    """Fewer calls, more time, fewer waiting or ahead, a higher limit or ceiling: none turns a yes into a no."""
    if not admits(load, calls, left_s):
        return
    assert admits(load, min(calls, fewer), left_s)
    assert admits(load, calls, left_s + more_s)
    assert admits(replace(load, waiting=load.waiting // 2, ahead=load.ahead // 2), calls, left_s)
    assert admits(replace(load, ahead=load.ahead // 2), calls, left_s)
    assert admits(replace(load, limit=load.limit * 2), calls, left_s)
    assert admits(replace(load, tps=load.tps and load.tps * 2), calls, left_s)


@given(LOADS.filter(lambda load: load.waiting > 0), CALLS)
def test_the_queue_is_bounded(load: Load, calls: int) -> None:
    """However much time there is, no more calls wait than may."""
    assert not admits(replace(load, waiting=WAITING_MAX), calls, 1e9)
    assert admits(load, calls, 1e9) == (load.waiting + calls <= WAITING_MAX)


def test_the_estimate() -> None:
    """A queue moves at the pace of typical calls, or of the ceiling if that is slower; the last call may be long."""
    takes = Quantiles(0.05, 0.08, 0.09, 0.1, 0.2)
    assert Load(100, 100, 10, takes, None).expected_s(0) == 100 * 0.05 / 10 + 0.2
    assert Load(100, 100, 10, takes, 50.0).expected_s(0) == 100 / 50 + 0.2
    assert Load(100, 20, 10, takes, 50.0).expected_s(5) == 25 / 50 + 0.2


def test_what_is_unknown_is_nothing_but_the_ceiling_is_known() -> None:
    """Before the first answers only the ceiling on the rate can refuse."""
    assert admits(Load(500, 500, 4, None, None), 100, 0.1)
    assert not admits(Load(500, 500, 4, None, 50.0), 100, 1.0)

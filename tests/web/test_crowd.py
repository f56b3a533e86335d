"""How many rankings are let in: what the core can do in time, more for a moment than for long."""

from gateway.web.crowd import LEAST, Crowd

DEADLINE_S = 1.0


class Times:
    """A core that is always busy: a second of CPU a second."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def crowd_of(cost_s: float, most: int = 256) -> tuple[Crowd, Times]:
    """A crowd that has learnt what a ranking costs."""
    times = Times()
    crowd = Crowd(most, DEADLINE_S, times, times)
    for _ in range(300):
        crowd.begin()
        times.at_s += cost_s
        crowd.end()
    return crowd, times


def fill(crowd: Crowd) -> int:
    """Let in as many as may be under way."""
    while crowd.under_way < crowd.limit:
        crowd.begin()
    return crowd.under_way


def test_nothing_is_known_at_the_start() -> None:
    """Before the first ranking has ended only the configured limit holds."""
    crowd = Crowd(256, DEADLINE_S)
    assert fill(crowd) == 256


def test_a_burst_fills_half_of_the_deadline() -> None:
    """Rankings of 20 ms: twenty-five at once can be answered within half a second."""
    crowd, _ = crowd_of(0.020)
    assert fill(crowd) in (24, 25)


def test_a_standing_crowd_fills_less() -> None:
    """Where it has been crowded for a second, fewer are let in; and as many as before once it has been quiet."""
    crowd, times = crowd_of(0.020)
    fill(crowd)
    for _ in range(120):
        times.at_s += 0.020
        crowd.end()
        if crowd.under_way < crowd.limit:
            crowd.begin()
    assert crowd.limit in (7, 8)
    assert crowd.under_way <= 8
    while crowd.under_way:
        times.at_s += 0.020
        crowd.end()
    assert fill(crowd) in (24, 25)


def test_a_few_are_always_let_in() -> None:
    """However dear rankings are, a few may be under way, and never more than configured."""
    assert fill(crowd_of(2.0)[0]) == LEAST
    assert fill(crowd_of(2.0, most=2)[0]) == 2
    assert fill(crowd_of(0.0001)[0]) == 256

"""The level of the log: what is set, what somebody asked for since, and for how long."""

import pytest

from gateway.core.log_level import LEVELS, LogLevel


@pytest.mark.parametrize("number", range(len(LEVELS)))
def test_what_is_as_grave_passes(number: int) -> None:
    """A level lets its own lines and graver ones pass, and no others."""
    level = LogLevel(LEVELS[number])
    assert [level.passes(one, 0.0) for one in LEVELS] == [other >= number for other in range(len(LEVELS))]
    assert level.passes("critical", 0.0)


def test_a_change_holds_until_the_next() -> None:
    """Without a time a change stays; what is set is remembered."""
    level = LogLevel("warning")
    level.change("debug", 10.0)
    assert (level.at(1e9), level.usual, level.left_s(1e9)) == ("debug", "warning", None)


def test_a_change_for_a_while_ends_by_itself() -> None:
    """With a time it ends at that time, and what is set is in force again."""
    level = LogLevel("info")
    level.change("debug", 10.0, 60.0)
    assert (level.at(69.9), level.left_s(40.0)) == ("debug", 30.0)
    assert (level.at(70.0), level.left_s(70.0)) == ("info", None)
    level.change("error", 80.0)
    assert level.at(1e9) == "error"


def test_what_is_set_ends_a_change() -> None:
    """Setting the usual level puts it in force at once."""
    level = LogLevel()
    level.change("debug", 0.0, 5.0)
    level.set_usual("error")
    assert (level.at(1.0), level.left_s(1.0)) == ("error", None)

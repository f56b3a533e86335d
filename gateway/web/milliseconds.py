"""Durations as they are told: milliseconds, to the hundredth; in headers to the tenth.

They go by way of integers: `round(..., 2)` prints the number and reads it back, 2,700 instructions instead of 300, and
`:.1f` takes three times as many as two integers. A request tells a dozen of them.
"""


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds with two decimals."""
    return round(1e5 * seconds) / 1e2


def tenths(seconds: float) -> str:
    """Seconds, not negative, as the text of milliseconds with one decimal."""
    whole, tenth = divmod(round(1e4 * seconds), 10)
    return f"{whole}.{tenth}"

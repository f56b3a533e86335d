"""Durations as they are told: milliseconds, to the hundredth."""


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds with two decimals. `round(..., 2)` prints the number and reads it back: 2,700
    instructions instead of 300, and a request tells a dozen of them."""
    return round(1e5 * seconds) / 1e2
